package server_test

import (
	"context"
	"net"
	"os"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// wineHost is a cmd.exe that a command gives, as Wine plays it.
func wineHost(t *testing.T) host.Host {
	t.Helper()
	script := os.Getenv(simtest.EnvWine)
	if script == "" || os.Getenv(simtest.EnvLab) != "wine" {
		if os.Getenv("LAB_REQUIRED") == "1" {
			t.Fatalf("LAB_REQUIRED is 1, and %s and %s name no Windows", simtest.EnvLab, simtest.EnvWine)
		}
		t.Skipf("NOT RUN: %s=wine and %s=test/lab/wine.sh say where Wine is", simtest.EnvLab, simtest.EnvWine)
	}
	command := []string{script, "cmd"}
	if c := os.Getenv("WINE_TEE"); c != "" {
		command = []string{c}
	}
	return windows{host.Exec{Command: command}}
}

// windows is a command that gives cmd.exe, on a host whose ports are this machine's.
type windows struct{ host.Exec }

func (windows) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return host.Local{}.Dial(ctx, network, address)
}

func TestWindowsInspect(t *testing.T) {
	h := wineHost(t)
	sim := bound(t, nil)
	found, err := newServer(t, h, onWindows(sim)).Inspect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", found)
}

func TestWindowsUnbind(t *testing.T) {
	h := wineHost(t)
	sim := bound(t, nil)
	s := newServer(t, h, onWindows(sim))
	report := mustEdit(t, s, unbind)
	if _, bound := prefs.ReadBinding(report.Document); bound || !report.Restarted {
		t.Errorf("%+v", report)
	}
}

// onWindows are the options of a server there.
func onWindows(sim *simtest.ServerProcess, changes ...func(*server.Options)) server.Options {
	return options(sim, append([]func(*server.Options){func(o *server.Options) { o.Platform = server.PlatformWindows }}, changes...)...)
}
