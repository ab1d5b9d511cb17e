package plexsim_test

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

func TestServerRunsAsAServiceAndStopsCleanlyAsOne(t *testing.T) {
	s := simtest.NewServer(t, simtest.Options{})
	program, err := os.ReadFile(simtest.Program(t))
	must(t, err)
	path := filepath.Join(t.TempDir(), "Plex Media Server.exe")
	must(t, os.WriteFile(path, program, 0o755))
	manager, err := mgr.Connect()
	must(t, err)
	t.Cleanup(func() { must(t, manager.Disconnect()) })
	service, err := manager.CreateService("plexsim-test", path, mgr.Config{StartType: mgr.StartManual}, s.SupportDir())
	must(t, err)
	t.Cleanup(func() {
		must(t, service.Delete())
		must(t, service.Close())
	})
	must(t, service.Start())
	s.WaitEvent(plexsim.EventListening, 1)
	_, err = service.Control(svc.Stop)
	must(t, err)
	simtest.Eventually(t, "the end of the service", func() bool {
		status, err := service.Query()
		return err == nil && status.State == svc.Stopped
	})
	if plexsim.Count(s.Events(), plexsim.EventStopped) != 1 {
		t.Errorf("it was no clean stop: %+v", s.Events())
	}
}
