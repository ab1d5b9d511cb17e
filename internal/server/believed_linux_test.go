package server_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// What root goes by, and that others could have put there.

// Root would write into what such a directory calls the pipe of its supervisor, and
// read what it calls its environment.
func TestAServiceDirectoryThatOthersCanChangeIsNotBelieved(t *testing.T) {
	for _, test := range []struct{ manager, program string }{{server.ManagerRunit, "sv"}, {server.ManagerS6, "s6-svstat"}} {
		t.Run(test.manager, func(t *testing.T) {
			sim := owned(t)
			dir := filepath.Join(t.TempDir(), "service")
			must(t, os.MkdirAll(filepath.Join(dir, "supervise"), 0o755))
			must(t, os.Lchown(dir, attacker, attacker))
			bin := t.TempDir()
			asked := filepath.Join(bin, "asked")
			for _, name := range []string{test.program, "s6-svc"} {
				must(t, os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n: >'"+asked+"'\necho 'run: x: (pid 1) 3s'; echo 'up (pid 1) 3 seconds'\n"), 0o755))
			}
			h := withPath(t, []string{"sh"}, bin)
			_, err := newServer(t, h, options(sim, func(o *server.Options) {
				o.Commands, o.Service = server.Commands{}, server.Service{Manager: test.manager, Name: dir}
			})).Edit(t.Context(), unbind)
			wantError(t, err, server.ErrServiceNotFound)
			if _, err := os.Stat(asked); err == nil {
				t.Error("root has asked it")
			}
		})
	}
}

// What such a file holds, root would go by; and where it leads, root would read.
func TestAnEnvironmentFileThatOthersCanChangeIsNotFollowed(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("NOT RUN: only root can act as two users; make testlab runs it")
	}
	for name, test := range map[string]struct {
		change   func(t *testing.T, file string)
		followed bool
	}{
		"root's own":                  {func(*testing.T, string) {}, true},
		"the attacker's":              {func(t *testing.T, file string) { must(t, os.Lchown(file, attacker, attacker)) }, false},
		"everybody's":                 {func(t *testing.T, file string) { must(t, os.Chmod(file, 0o666)) }, false},
		"in the attacker's directory": {func(t *testing.T, file string) { must(t, os.Lchown(filepath.Dir(file), attacker, attacker)) }, false},
		"in everybody's directory":    {func(t *testing.T, file string) { must(t, os.Chmod(filepath.Dir(file), 0o777)) }, false},
		"a link of the attacker's": {func(t *testing.T, file string) {
			must(t, os.Rename(file, file+".root"))
			must(t, os.Symlink(file+".root", file))
			must(t, os.Lchown(file, attacker, attacker))
			must(t, os.Chmod(filepath.Dir(file), 0o777|os.ModeSticky))
		}, false},
		"a FIFO of the attacker's": {func(t *testing.T, file string) {
			must(t, os.Remove(file))
			must(t, syscall.Mkfifo(file, 0o600))
			must(t, os.Lchown(file, attacker, attacker))
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			sd := newSystemd(t)
			sim := simtest.NewServer(t, simtest.Options{})
			of := func(name, content string) string {
				file := sd.write(name, content)
				must(t, os.Chmod(filepath.Dir(file), 0o755))
				test.change(t, file)
				return file
			}
			// Each way to name the directory has the right one beside it.
			sd.unit("plexmediaserver.service", sim, `Environment="`+supportVariable+`=`+sim.SupportDir()+`"`,
				"EnvironmentFiles="+of("file/plex", supportVariable+"=/nowhere\n")+" (ignore_errors=no)")
			sd.program("sv", "#!/bin/sh\necho 'down: it: 3s'\n")
			sd.write("runit/run", "#!/bin/sh\nexport "+supportVariable+"='"+sim.SupportDir()+"'\n")
			must(t, os.Mkdir(filepath.Join(sd.dir, "runit", "supervise"), 0o700))
			of("runit/env/"+supportVariable, "/nowhere\n")
			for _, service := range []server.Service{
				{Manager: server.ManagerSystemd}, {Manager: server.ManagerRunit, Name: filepath.Join(sd.dir, "runit")},
			} {
				got, err := newServer(t, host.Local{}, found(sim, func(o *server.Options) { o.Service = service })).Inspect(t.Context())
				if test.followed {
					wantError(t, err, server.ErrNoPreferences)
				} else if err != nil || got.ID != sim.Identity.Processed {
					t.Errorf("%s: found %q, %v", service.Manager, got.PreferencesPath, err)
				}
			}
		})
	}
}

// Any process can have the name of a supervisor, and say where its services or its
// configuration are, which can name code; also one that is root's whoever starts it.
func TestASupervisorOfAnotherUsersIsNotBelieved(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("NOT RUN: only root can act as two users; make testlab runs it")
	}
	for name, user := range map[string]struct {
		uid  uint32
		mode os.FileMode
		want bool
	}{"root": {0, 0o755, true}, "the attacker": {attacker, 0o755, false}, "the attacker, as root": {attacker, 0o755 | os.ModeSetuid, false}} {
		for _, test := range []struct {
			manager, process, program string
			arguments                 func(dir string) []string
		}{
			{server.ManagerSupervisord, "supervisord", "cat", func(dir string) []string { return []string{"--", "-", "-c", dir + "/plexmediaserver"} }},
			{server.ManagerRunit, "runsvdir", "cat", func(dir string) []string { return []string{"-", dir} }},
			{server.ManagerS6, "s6-svscan", "cat", func(string) []string { return nil }}, // the directory that it works in
			{server.ManagerRunit, "runsv", "sh", func(string) []string {
				return []string{"-p", "-c", "cd plexmediaserver && \"$0\"; :", called(t, "cat", "Plex Media Server")}
			}},
		} {
			t.Run(test.process+" of "+name, func(t *testing.T) {
				t.Parallel()
				bin, dir := t.TempDir(), t.TempDir()
				asked := filepath.Join(bin, "asked")
				for _, tool := range []string{"supervisorctl", "sv", "s6-svc", "s6-svstat"} {
					must(t, os.WriteFile(filepath.Join(bin, tool), []byte("#!/bin/sh\necho \"$*\" >>'"+asked+"'\n"), 0o755))
				}
				must(t, os.MkdirAll(filepath.Join(dir, "plexmediaserver", "supervise"), 0o755))
				openUp(t, filepath.Join(dir, "plexmediaserver"))
				program := called(t, test.program, test.process)
				must(t, os.Chmod(program, user.mode))
				c := exec.Command(program, test.arguments(dir)...)
				c.Args[0], c.Dir = test.process, dir
				c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user.uid, Gid: user.uid}}
				in, err := c.StdinPipe()
				must(t, err)
				out, err := c.StdoutPipe()
				must(t, err)
				must(t, c.Start())
				t.Cleanup(func() {
					_ = in.Close()
					_ = c.Wait() // its arguments are no files
				})
				_, err = io.WriteString(in, "\n")
				must(t, err)
				_, err = out.Read(make([]byte, 1)) // all are there
				must(t, err)
				s := newServer(t, withPath(t, []string{"sh"}, bin), server.Options{
					URL: "http://127.0.0.1:1", Limits: quick, Service: server.Service{Manager: test.manager, Name: "plexmediaserver"},
				})
				_, err = s.Inspect(t.Context())
				wantError(t, err, server.ErrServiceNotFound)
				said, _ := os.ReadFile(asked)
				if got := strings.Contains(string(said), dir+"/plexmediaserver"); got != user.want {
					t.Errorf("asked about what it says: %v, want %v; asked %q", got, user.want, said)
				}
			})
		}
	}
}

// called is a copy of a program under another name, by which its process is called, too.
func called(t *testing.T, program, name string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	must(t, err)
	path = forAll(t, path)
	must(t, os.Rename(path, filepath.Join(filepath.Dir(path), name)))
	return filepath.Join(filepath.Dir(path), name)
}
