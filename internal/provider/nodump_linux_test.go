package provider_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Rule 9: the program itself leaves no core dump, whatever the limits are.
func TestTheProgramDumpsNoCore(t *testing.T) {
	t.Parallel()
	plugins, err := built()
	if err != nil {
		t.Fatal(err)
	}
	// With -debug it can be looked into, and may be dumped: the control.
	for name, arguments := range map[string][]string{"served": nil, "debugged": {"-debug"}} {
		t.Run(name, func(t *testing.T) {
			c := exec.Command("sh", append([]string{"-c", `ulimit -S -c unlimited; exec "$0" "$@"`, filepath.Join(plugins, "terraform-provider-plex")}, arguments...)...)
			c.Dir = t.TempDir()
			c.Env = append(os.Environ(), "GOTRACEBACK=crash", "TF_PLUGIN_MAGIC_COOKIE=d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2")
			out, err := c.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewReader(out)
			if line, err := lines.ReadString('\n'); err != nil || name == "served" && !strings.Contains(line, "|tcp|") && !strings.Contains(line, "|unix|") {
				t.Errorf("it says %q: %v", line, err)
			}
			if err := c.Process.Signal(syscall.SIGABRT); err != nil {
				t.Error(err)
			}
			_ = c.Wait()
			dumped := c.ProcessState.Sys().(syscall.WaitStatus).CoreDump()
			left, _ := filepath.Glob(filepath.Join(c.Dir, "*"))
			switch {
			case name == "served" && (dumped || len(left) > 0):
				t.Errorf("a core was dumped: %v", left)
			case name != "served" && !dumped:
				t.Log("NOT SHOWN: here no core is dumped in any case")
			}
		})
	}
}
