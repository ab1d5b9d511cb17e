package bench_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"

	"github.com/homelab-iac/terraform-provider-plex/test/figures"
)

// TestTerraform measures plan and apply, for servers that are bound already, and
// for as many resources of a provider that does nothing.
func TestTerraform(t *testing.T) {
	wanted(t)
	plugins := mirror(t)
	fmt.Printf("\n## Time and memory of Terraform\n\nBound servers on this machine, adopted by apply. Load average before: %s.\n\n", figures.Load())
	fmt.Print("| servers | command | provider | s, median | p10 | p90 | n | MiB terraform, median | p10 | p90 | n | MiB provider, median | p10 | p90 | n |\n" +
		"|" + strings.Repeat("---|", 15) + "\n")
	for _, count := range []int{1, 10, 50} {
		t.Run(fmt.Sprint(count), func(t *testing.T) { measureTerraform(t, plugins, count) })
	}
	fmt.Printf("\nLoad average after: %s.\n", figures.Load())
}

func measureTerraform(t *testing.T, plugins string, count int) {
	tv := simtest.NewPlexTV(t)
	servers := make([]*simtest.ServerProcess, count)
	for i := range servers {
		proceed(t)
		servers[i] = simtest.NewServer(t, simtest.Options{PlexTV: tv, Account: &simtest.Owner})
		servers[i].Start()
	}
	for _, s := range servers {
		s.WaitReady()
	}
	subjects := []struct {
		name, dir string
	}{
		{"plex", configuration(t, plugins, plexConfig(tv.URL, servers))},
		{"empty", configuration(t, plugins, echoConfig(count))},
	}
	commands := []struct {
		name string
		args []string
	}{
		{"plan, to adopt", []string{"plan"}},
		{"apply, adopts", []string{"apply", "-auto-approve"}},
		{"plan, no changes", []string{"plan", "-detailed-exitcode"}},
	}
	type key struct{ command, subject int }
	seconds, core, provider := map[key]sample{}, map[key]sample{}, map[key]sample{}
	for range *planRounds {
		for subject, s := range subjects {
			_ = os.Remove(filepath.Join(s.dir, "terraform.tfstate"))
			for command, c := range commands {
				used := run(t, s.dir, c.args...)
				k := key{command, subject}
				seconds[k] = append(seconds[k], used.seconds)
				core[k] = append(core[k], used.terraform)
				provider[k] = append(provider[k], used.provider)
			}
		}
	}
	for command, c := range commands {
		for subject, s := range subjects {
			k := key{command, subject}
			fmt.Printf("| %d | %s | %s | %s | %s | %s |\n", count, c.name, s.name,
				seconds[k].cells("%.2f"), core[k].cells("%.0f"), provider[k].cells("%.0f"))
		}
	}
	for _, s := range servers {
		if s.StopCount() != 0 {
			t.Errorf("a server was stopped %d times; adopting one stops none", s.StopCount())
		}
	}
}

// mirror is a file system mirror with both providers.
func mirror(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, source := range map[string]string{"plex": "", "echo": "/test/bench/empty"} {
		path := filepath.Join(dir, "registry.terraform.io", "homelab-iac", name, "0.1.0",
			runtime.GOOS+"_"+runtime.GOARCH, "terraform-provider-"+name+"_v0.1.0")
		build := exec.CommandContext(interrupted, "go", "build", "-o", path, "github.com/homelab-iac/terraform-provider-plex"+source)
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	return dir
}

// configuration is a directory that is ready for plan.
func configuration(t *testing.T, plugins, text string) string {
	t.Helper()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "main.tf"), []byte(text), 0o600))
	run(t, dir, "init", "-plugin-dir="+plugins)
	return dir
}

func required(name string) string {
	return fmt.Sprintf("terraform {\n  required_providers {\n    %s = {\n      source = \"homelab-iac/%s\"\n    }\n  }\n}\n", name, name)
}

func echoConfig(count int) string {
	text := required("echo") + "provider \"echo\" {\n  data = \"nothing\"\n}\n"
	for i := range count {
		text += fmt.Sprintf("resource \"echo\" \"server_%d\" {}\n", i)
	}
	return text
}

func plexConfig(plexTV string, servers []*simtest.ServerProcess) string {
	text := required("plex") + fmt.Sprintf("provider \"plex\" {\n  plextv_url    = %q\n  account_token = %q\n}\n", plexTV, simtest.Owner.Token)
	for i, s := range servers {
		c := s.Commands()
		text += fmt.Sprintf(`resource "plex_server_account_binding" "server_%d" {
  account = %q
  server = {
    preferences_path = %q
    url              = %q
    commands = {
      stop   = %q
      start  = %q
      status = %q
    }
  }
}
`, i, simtest.Owner.Email, s.PreferencesPath(), s.URL(), c.Stop, c.Start, c.Status)
	}
	return text
}

// usage is what a command took; memory in MiB, the most of any one process.
type usage struct{ seconds, terraform, provider float64 }

// run runs terraform, and watches it and the provider.
func run(t *testing.T, dir string, args ...string) usage {
	t.Helper()
	proceed(t)
	cmd := exec.CommandContext(interrupted, "terraform", append(args, "-no-color")...)
	cmd.Dir = dir
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	began := time.Now()
	must(t, cmd.Start())
	ended := make(chan struct{})
	peaks := make(chan usage)
	go func() { peaks <- watch(cmd.Process.Pid, ended) }()
	err := cmd.Wait()
	took := time.Since(began)
	close(ended)
	used := <-peaks
	if err != nil {
		proceed(t)
		t.Fatalf("terraform %v: %v\n%s", args, err, out.String())
	}
	used.seconds = took.Seconds()
	return used
}
