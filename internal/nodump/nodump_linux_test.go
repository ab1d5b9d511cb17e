package nodump_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/homelab-iac/terraform-provider-plex/internal/nodump"
)

const secret = "planted-secret-in-memory"

// The test is its own crashing program.
func TestMain(m *testing.M) {
	switch os.Getenv("NODUMP") {
	case "":
		os.Exit(m.Run())
	case "protected":
		if err := nodump.Protect(); err != nil {
			panic(err)
		}
	}
	crash(struct{ token, password string }{strings.ToLower(strings.ToUpper(secret)), secret}, secret)
}

// crash ends as an error of the program would, with secrets in its arguments.
func crash(holder struct{ token, password string }, again string) {
	var none map[string]string
	none[holder.token+again] = holder.password //nolint:govet,staticcheck // the crash that is meant
}

func TestACrashLeavesNoCoreAndShowsNoSecret(t *testing.T) {
	for _, mode := range []string{"protected", "as it is"} {
		t.Run(mode, func(t *testing.T) {
			program, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			// Go dumps core where it is told to crash, and the limit lets it.
			c := exec.Command("sh", "-c", `ulimit -S -c unlimited; exec "$0"`, program)
			c.Env = append(os.Environ(), "NODUMP="+mode, "GOTRACEBACK=crash")
			c.Dir = dir
			out, err := c.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "assignment to entry in nil map") {
				t.Fatalf("it did not crash: %v\n%s", err, out)
			}
			if strings.Contains(string(out), secret) {
				t.Errorf("the crash shows the secret:\n%s", out)
			}
			dumped := c.ProcessState.Sys().(syscall.WaitStatus).CoreDump()
			left, _ := filepath.Glob(filepath.Join(dir, "*"))
			switch {
			case mode == "protected" && (dumped || len(left) > 0):
				t.Errorf("a core was dumped: %v", left)
			case mode != "protected" && !dumped:
				t.Log("NOT SHOWN: here no core is dumped in any case")
			}
		})
	}
}

func TestWhatAProtectedProcessStartsHasItsOwnLimits(t *testing.T) {
	before, err := exec.Command("sh", "-c", "ulimit -S -c").Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := nodump.Protect(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0) })
	after, err := exec.Command("sh", "-c", "ulimit -S -c").Output()
	if err != nil || string(after) != string(before) {
		t.Errorf("the limit was %q and is %q, %v", before, after, err)
	}
}
