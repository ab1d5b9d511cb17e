package prefs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

// envWine names the program that runs a Windows program: test/lab/wine.sh, as "wine.sh run reg.exe ARGUMENTS".
const envWine = "PLEX_LAB_WINE"

// wineKey is where the tests with reg.exe have their keys.
const wineKey = `HKEY_CURRENT_USER\Software\terraform-provider-plex, Inc. reg.exe`

// regExe runs the reg.exe of Wine, in a directory of the test's own.
func regExe(t *testing.T, arguments ...string) {
	t.Helper()
	// A file, for Wine's services live on with what they were started with, and Wait would wait for them to close a pipe.
	output, err := os.Create(filepath.Join(t.TempDir(), "output"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = output.Close() }()
	command := exec.Command(os.Getenv(envWine), append([]string{"run", "reg.exe"}, arguments...)...) // it deletes its key after the test, too
	command.Stdout, command.Stderr = output, output
	if err := command.Run(); err != nil {
		t.Errorf("reg.exe %q: %v\n%s", arguments, err, read(t, output.Name()))
	}
}

// imported has reg.exe import a file, and returns what it exports of a key then.
func imported(t *testing.T, data []byte, key string) []byte {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("new.reg", data, 0o600); err != nil {
		t.Fatal(err)
	}
	regExe(t, "import", "new.reg")
	regExe(t, "export", key, "now.reg", "/y")
	return read(t, "now.reg")
}

func requireWine(t *testing.T) {
	t.Helper()
	if os.Getenv(envWine) == "" {
		t.Skipf("NOT RUN: no Wine is given in %s; test/lab/windows.sh gives one", envWine)
	}
}

// portable reports whether every reg.exe leaves this value as it is. That of Wine mends data that is not what its type promises, and exports
// line breaks with escapes that Windows does not know.
func portable(v prefs.RegistryValue) bool {
	text := fromVersion5(v.Data)
	if (v.Type == 1 || v.Type == 2) && (text == "" || strings.IndexAny(text, "\x00\r\n") < len(text)-1) {
		return false
	}
	return !strings.Contains(fmt.Sprint(v), "malformed")
}

// The key has the values of the whole corpus, under names of their own.
func TestRegExeReadsWhatIsWrittenHere(t *testing.T) {
	requireWine(t)
	const key = wineKey + ` written`
	t.Cleanup(func() { regExe(t, "delete", key, "/f") })
	values := parseReg(t, read(t, filepath.Join("testdata", "reg", "bound.reg"))).Values()
	for _, s := range regCorpus(t) {
		for _, v := range parseReg(t, s.data).Values() {
			if portable(v) {
				v.Name = s.name + ": " + v.Name
				values = append(values, v)
			}
		}
	}
	values = append(values, prefs.RegistryValue{Type: 1, Data: []byte{'x', 0, 0, 0}})
	full, err := prefs.NewRegistry(key, values)
	if err != nil {
		t.Fatal(err)
	}
	taken := func(next *prefs.Registry) *prefs.Registry {
		t.Helper()
		now := parseReg(t, imported(t, next.Bytes(), key))
		if deleted, set, err := prefs.RegistryDelta(next, now); err != nil || len(deleted)+len(set) > 0 {
			t.Errorf("reg.exe has %q less and %v otherwise: %v", deleted, set, err)
		}
		return now
	}
	bound := taken(full)
	for name, value := range map[string]string{prefs.KeyToken: `made-up "token" \ 居`, prefs.KeyHome: "1"} {
		if err := bound.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	taken(bound)
}

// Both read the same lines: those of the corpus, each document's in a key below one.
func TestRegExeReadsAnExportAsItIsReadHere(t *testing.T) {
	requireWine(t)
	const key = wineKey + ` exports`
	t.Cleanup(func() { regExe(t, "delete", key, "/f") })
	names := []string{"all-types", "continued", "quoted-names", "quoted-values", "empty-values", "non-ascii", "comments"}
	file := "Windows Registry Editor Version 5.00\r\n\r\n"
	for _, name := range names {
		_, lines, _ := strings.Cut(fromVersion5(read(t, filepath.Join("testdata", "reg", name+".reg"))), "\n["+regKey)
		file += "[" + key + `\` + name + lines + "\r\n"
	}
	_, exported, _ := strings.Cut(fromVersion5(imported(t, version5(file), key)), "\n["+key+"]")
	sections := strings.Split(exported, "\n["+key+`\`)[1:]
	if len(sections) != len(names) {
		t.Fatalf("reg.exe has %d keys, want %d", len(sections), len(names))
	}
	for _, section := range sections {
		name, lines, _ := strings.Cut(section, "]")
		_, before, _ := strings.Cut(file, "["+key+`\`+name+"]")
		before, _, _ = strings.Cut(before, "\n["+key)
		was := parseExport(t, before)
		deleted, set, err := prefs.RegistryDelta(was, parseExport(t, lines))
		set = slices.DeleteFunc(set, func(now prefs.RegistryValue) bool {
			i := slices.Index(was.Names(), now.Name)
			return i >= 0 && !portable(was.Values()[i])
		})
		if err != nil || len(was.Names()) == 0 || len(deleted)+len(set) > 0 {
			t.Errorf("%s: reg.exe has %q less and %v otherwise: %v", name, deleted, set, err)
		}
	}
}
