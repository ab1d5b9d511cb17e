package host

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// configured is the hop to alias under a configuration, made of files: the
// first is the configuration itself, the others it may include.
func configured(t *testing.T, settings SSHSettings, target SSHTarget, files ...string) (*sshHop, error) {
	t.Helper()
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	t.Setenv("SSH_AUTH_SOCK", "")
	for i, text := range files {
		name := filepath.Join(home, ".ssh", []string{"config", "one", "two"}[i])
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config, err := readSSHConfig(configFile{filepath.Join(home, ".ssh", "config"), filepath.Join(home, ".ssh"), false})
	if err != nil {
		return nil, err
	}
	return resolve(config, settings, target)
}

func TestTheClientConfigurationSaysWhereAHostIs(t *testing.T) {
	me := localUser()
	for _, test := range []struct {
		name, config string
		settings     SSHSettings
		target       SSHTarget
		want         string // the hops from here, with the pins' places left out
	}{
		{"nothing", "", SSHSettings{}, SSHTarget{Host: "nas"}, me + "@nas:22"},
		{"an alias", "Host nas\n  HostName nas.lan\n  User admin\n  Port 2222\n", SSHSettings{}, SSHTarget{Host: "nas"}, "admin@nas.lan:2222"},
		{"the first value counts", "Host nas\n User one\nHost *\n User two\n Port 7\n", SSHSettings{}, SSHTarget{Host: "nas"}, "one@nas:7"},
		{"settings before configuration", "User one\nPort 7", SSHSettings{User: "two", Port: 8}, SSHTarget{Host: "nas"}, "two@nas:8"},
		{"the target before all", "User one\nPort 7", SSHSettings{User: "two", Port: 8}, SSHTarget{Host: "nas", User: "three", Port: 9}, "three@nas:9"},
		{"a token", "Host *.x\n HostName %h.lan", SSHSettings{}, SSHTarget{Host: "a.x"}, me + "@a.x.lan:22"},
		{"patterns", "Host !nas *\n Port 1\nHost\tother nas\n Port 2", SSHSettings{}, SSHTarget{Host: "nas"}, me + "@nas:2"},
		{"equals signs and quotes", "Host=nas\nUser=\"admin\"\nPort = 3", SSHSettings{}, SSHTarget{Host: "nas"}, "admin@nas:3"},
		{"a space in the user's name", "User \"Some One\"", SSHSettings{}, SSHTarget{Host: "nas"}, "Some One@nas:22"},
		{"a backslash in it", `User CORP\me`, SSHSettings{}, SSHTarget{Host: "nas"}, `CORP\me@nas:22`},
		{"two of them", `User "CORP\\me"`, SSHSettings{}, SSHTarget{Host: "nas"}, `CORP\me@nas:22`},
		{"a jump host's user", "Host gate\nUser \"Some One\"\n", SSHSettings{ProxyJump: "gate"}, SSHTarget{Host: "nas", User: "me@corp"}, "Some One@gate:22 me@corp@nas:22"},
		{"a jump as a user of Windows", "", SSHSettings{ProxyJump: `CORP\me@a,Some One@b,me@corp@c`}, SSHTarget{Host: "nas"}, `CORP\me@a:22 Some One@b:22 me@corp@c:22 ` + me + "@nas:22"},
		{"the same by URLs", "", SSHSettings{ProxyJump: "ssh://CORP%5Cme@a,ssh://me%40corp@b:2"}, SSHTarget{Host: "nas"}, `CORP\me@a:22 me@corp@b:2 ` + me + "@nas:22"},
		{"Match all", "Match all\n Port 4", SSHSettings{}, SSHTarget{Host: "nas"}, me + "@nas:4"},
		{"Match host", "Match host other,nas\n Port 5\nMatch originalhost nas\n User x", SSHSettings{}, SSHTarget{Host: "nas"}, "x@nas:5"},
		{"Match that makes no difference", "Match final all\n Ciphers none\n  SendEnv X\nHost nas\n Port 6", SSHSettings{}, SSHTarget{Host: "nas"}, me + "@nas:6"},
		{"IPv6", "", SSHSettings{}, SSHTarget{Host: "fe80::1"}, me + "@[fe80::1]:22"},

		{"jump", "ProxyJump gate", SSHSettings{}, SSHTarget{Host: "nas"}, me + "@gate:22 " + me + "@nas:22"},
		{"jump of the settings", "ProxyJump gate", SSHSettings{ProxyJump: "me@door:2"}, SSHTarget{Host: "nas"}, me + "@gate:22 me@door:2 " + me + "@nas:22"},
		{"no jump of the settings", "ProxyJump gate", SSHSettings{ProxyJump: "none"}, SSHTarget{Host: "nas"}, me + "@nas:22"},
		{"no jump of the configuration", "Host nas\nProxyJump none\nHost *\nProxyJump gate", SSHSettings{}, SSHTarget{Host: "nas"}, me + "@nas:22"},
		{"jump by an alias", "Host nas\nProxyJump gate\nHost gate\nHostName gate.lan\nUser g\nPort 5", SSHSettings{}, SSHTarget{Host: "nas"}, "g@gate.lan:5 " + me + "@nas:22"},
		{"the jump's own user and port", "Host gate\nUser g\nPort 5", SSHSettings{ProxyJump: "h@gate:6", User: "u", Port: 9}, SSHTarget{Host: "nas"}, "h@gate:6 u@nas:9"},
		{"settings' user for a jump host", "", SSHSettings{ProxyJump: "gate", User: "u", Port: 9}, SSHTarget{Host: "nas"}, "u@gate:22 u@nas:9"},
		{"a chain", "", SSHSettings{ProxyJump: "a, b:2,ssh://c@[::1]:3"}, SSHTarget{Host: "nas"}, me + "@a:22 " + me + "@b:2 c@[::1]:3 " + me + "@nas:22"},
		{"a jump on a way of its own", "Host gate\nProxyJump door", SSHSettings{ProxyJump: "gate"}, SSHTarget{Host: "nas"}, me + "@door:22 " + me + "@gate:22 " + me + "@nas:22"},
		{"a jump for all", "Host *\nProxyJump gate", SSHSettings{}, SSHTarget{Host: "gate"}, me + "@gate:22"},
		{"ProxyCommand none", "ProxyCommand none", SSHSettings{}, SSHTarget{Host: "nas"}, me + "@nas:22"},
		{"ProxyJump before ProxyCommand", "Host nas\nProxyCommand nc %h %p", SSHSettings{ProxyJump: "gate"}, SSHTarget{Host: "nas"}, me + "@gate:22 " + me + "@nas:22"},
	} {
		t.Run(test.name, func(t *testing.T) {
			hop, err := configured(t, test.settings, test.target, test.config)
			if err != nil {
				t.Fatal(err)
			}
			way := ""
			for ; hop != nil; hop = hop.via {
				way = strings.TrimSpace(hop.user + "@" + hop.address() + " " + way)
			}
			if way != test.want {
				t.Errorf("the way is %q, want %q", way, test.want)
			}
		})
	}
}

func TestTheClientConfigurationSaysHowToLogIn(t *testing.T) {
	hop, err := configured(t, SSHSettings{}, SSHTarget{Host: "nas"}, `
Include one
Host nas
  IdentityFile ~/keys/%n-%r-%p
  IdentityFile %d/keys/%h
  IdentitiesOnly yes
  IdentityAgent ~/agent
  UserKnownHostsFile ~/a /b
  ConnectTimeout 7
  HostKeyAlias Other
`, "Host nas\n  HostName nas.lan\n  User admin\n")
	if err != nil {
		t.Fatal(err)
	}
	home := os.Getenv("HOME")
	for name, pair := range map[string][2]any{
		"files":       {hop.auth.paths, []string{home + "/keys/nas-admin-22", home + "/keys/nas.lan"}},
		"default":     {hop.auth.byDefault, false},
		"only":        {hop.auth.only, true},
		"agent":       {hop.auth.agent, home + "/agent"},
		"known hosts": {hop.knownHosts, []string{home + "/a", "/b", "/etc/ssh/ssh_known_hosts"}},
		"time":        {hop.timeout, 7 * time.Second},
		"key name":    {hop.keyName, "other:22"},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%s: %v, want %v", name, pair[0], pair[1])
		}
	}
	plain, err := configured(t, SSHSettings{KnownHostsPath: "~/k", ConnectTimeout: time.Second}, SSHTarget{Host: "NAS", Port: 7}, "ConnectTimeout 9")
	if err != nil {
		t.Fatal(err)
	}
	home = os.Getenv("HOME")
	if !plain.auth.byDefault || len(plain.auth.paths) != 3 || plain.timeout != time.Second || plain.keyName != "nas:7" || !reflect.DeepEqual(plain.knownHosts, []string{home + "/k"}) {
		t.Errorf("the hop is %+v", plain)
	}
}

func TestAnIncludeIsForTheBlockThatItStandsIn(t *testing.T) {
	for _, test := range []struct {
		name, config, one, two, host, want string
	}{
		{"at the top", "Include one\nHost nas\nUser late", "User early", "", "nas", "early@nas"},
		{"in a block", "Host nas\nInclude one\nHost *\nUser all", "User some", "", "nas", "some@nas"},
		{"in another's block", "Host other\nInclude one\nHost *\nUser all", "User some", "", "nas", "all@nas"},
		{"with blocks, and then more", "Include one\nUser after", "Host other\nUser some", "", "nas", "after@nas"},
		{"nested, by a pattern", "Include o*", "Include two", "User deep", "nas", "deep@nas"},
		{"nothing there", "Include none*\nUser x", "", "", "nas", "x@nas"},
	} {
		hop, err := configured(t, SSHSettings{}, SSHTarget{Host: test.host}, test.config, test.one, test.two)
		if err != nil || hop.String() != test.want {
			t.Errorf("%s: %v, %v", test.name, hop, err)
		}
	}
}

func TestWhatCannotBeFollowedIsAnErrorThatNamesTheLine(t *testing.T) {
	for _, test := range []struct {
		name   string
		files  []string
		target string
		says   []string
	}{
		{"Match exec", []string{"\nMatch exec \"test -e x\"\n  User me\n"}, "nas", []string{"config:2", "Match exec", "user"}},
		{"Match user", []string{"Match user me host nas\n  ProxyJump x\n"}, "nas", []string{"config:1", "proxyjump"}},
		{"in an included file", []string{"Include one", "# x\nMatch canonical\nPort 1"}, "nas", []string{"one:2", "canonical"}},
		{"including for a Match", []string{"Match canonical\nInclude one", "Host nas\nPort 1"}, "nas", []string{"config:1", "port"}},
		{"blocks included for some", []string{"Host nas\nInclude one", "\nHost nas\nPort 1"}, "nas", []string{"one:2"}},
		{"a loop of files", []string{"Include config"}, "nas", []string{"config:1", "deep"}},
		{"ProxyCommand", []string{"ProxyCommand nc %h %p"}, "nas", []string{"nas", "ProxyCommand"}},
		{"a loop of jumps", []string{"Host a\nProxyJump b\nHost b\nProxyJump a"}, "a", []string{"lead back", "a -> b -> a"}},
		{"no user", []string{"User -x"}, "nas", []string{"nas", `"-x"`}},
		{"a jump host's user", []string{"ProxyJump ssh://me%0Ayou@gate"}, "nas", []string{"gate", `"me\nyou"`}},
		{"no port", []string{"Port ssh"}, "nas", []string{"nas", `"ssh"`}},
		{"no time", []string{"ConnectTimeout soon"}, "nas", []string{"nas", `"soon"`}},
		{"a jump to nowhere", []string{"ProxyJump a,,b"}, "nas", []string{"nas", "no name"}},
	} {
		_, err := configured(t, SSHSettings{}, SSHTarget{Host: test.target}, test.files...)
		if err == nil {
			t.Errorf("%s: no error", test.name)
			continue
		}
		for _, want := range test.says {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v does not say %q", test.name, err, want)
			}
		}
	}
}

func TestAConfigurationThatIsNamedMustBeThere(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	_, err := NewSSHPool(SSHSettings{ConfigPath: "/nowhere/config"}).Host(SSHTarget{Host: "nas"}, Become{}).Shell(t.Context(), "true")
	var advice *Error
	if !errors.As(err, &advice) || !strings.Contains(advice.Next, "config_path") || !strings.Contains(err.Error(), "/nowhere/config") {
		t.Errorf("error is %v", err)
	}
	if _, err := loadSSHConfig(""); err != nil {
		t.Errorf("the usual one is not there: %v", err)
	}
}
