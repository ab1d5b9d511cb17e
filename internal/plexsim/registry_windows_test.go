package plexsim_test

import (
	"bytes"
	"errors"
	"os/exec"
	"testing"

	"golang.org/x/sys/windows/registry"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

const testKey = `Software\plexsim test`

// newRegistryDen is a server that keeps its preferences in testKey, which is removed
// with the test. The key is empty, but for what fill puts there.
func newRegistryDen(t *testing.T, fill func(registry.Key)) (*plexsim.Server, registry.Key) {
	t.Helper()
	key, _, err := registry.CreateKey(registry.CURRENT_USER, testKey, registry.ALL_ACCESS)
	must(t, err)
	server := plexsim.NewServer(plexsim.Config{SupportDir: t.TempDir(), Addr: "127.0.0.1:0", PlexTVURL: "http://127.0.0.1:9", Store: `HKEY_CURRENT_USER\` + testKey})
	t.Cleanup(func() {
		server.Kill()
		must(t, key.Close())
		must(t, registry.DeleteKey(registry.CURRENT_USER, testKey))
	})
	fill(key)
	must(t, server.Start(t.Context()))
	return server, key
}

func text(t *testing.T, key registry.Key, name string) string {
	t.Helper()
	value, kind, err := key.GetStringValue(name)
	must(t, err)
	if kind != registry.SZ {
		t.Errorf("%s has the type %d", name, kind)
	}
	return value
}

func TestEmptyKeyGetsANewIdentity(t *testing.T) {
	_, key := newRegistryDen(t, func(registry.Key) {})
	if len(text(t, key, "MachineIdentifier")) != 36 || len(text(t, key, "ProcessedMachineIdentifier")) != 40 {
		t.Error("no identity")
	}
	if _, kind, err := key.GetIntegerValue("MetricsEpoch"); err != nil || kind != registry.DWORD {
		t.Errorf("MetricsEpoch has the type %d, %v", kind, err)
	}
}

func TestStopWritesTheRegistryFromMemory(t *testing.T) {
	server, key := newRegistryDen(t, func(key registry.Key) {
		must(t, key.SetStringValue("ProcessedMachineIdentifier", denID))
		must(t, key.SetStringValue("PlexOnlineToken", "someToken"))
		must(t, key.SetDWordValue("PlexOnlineHome", 1))
		must(t, key.SetQWordValue("Large", 1<<40))
		must(t, key.SetExpandStringValue("TranscoderTempDirectory", `%TEMP%\x`))
		must(t, key.SetBinaryValue("Opaque", []byte{0, 1, 2}))
	})
	must(t, key.DeleteValue("PlexOnlineToken")) // is lost, as the server runs
	must(t, key.SetStringValue("Foreign", "is lost, too"))
	must(t, key.SetDWordValue("PlexOnlineHome", 0))
	server.Stop()
	if got := text(t, key, "PlexOnlineToken"); got != "someToken" {
		t.Errorf("the token is %q", got)
	}
	if _, _, err := key.GetStringValue("Foreign"); !errors.Is(err, registry.ErrNotExist) {
		t.Errorf("what was added is there: %v", err)
	}
	for name, want := range map[string]struct {
		number uint64
		kind   uint32
	}{"PlexOnlineHome": {1, registry.DWORD}, "Large": {1 << 40, registry.QWORD}} {
		if number, kind, err := key.GetIntegerValue(name); err != nil || number != want.number || kind != want.kind {
			t.Errorf("%s is %d of type %d, %v", name, number, kind, err)
		}
	}
	if got, kind, err := key.GetStringValue("TranscoderTempDirectory"); err != nil || got != `%TEMP%\x` || kind != registry.EXPAND_SZ {
		t.Errorf("the directory is %q of type %d, %v", got, kind, err)
	}
	if got, _, err := key.GetBinaryValue("Opaque"); err != nil || !bytes.Equal(got, []byte{0, 1, 2}) {
		t.Errorf("the opaque value is %v, %v", got, err)
	}
}

func TestTaskkillStopsTheServerOnlyIfItMay(t *testing.T) {
	s := simtest.NewServer(t, simtest.Options{})
	s.Start()
	must(t, exec.Command("taskkill", "/im", "Plex Media Server.exe").Run())
	simtest.Eventually(t, "the end of the server", func() bool { return !s.Running() })
	if plexsim.Count(s.Events(), plexsim.EventStopped) != 1 {
		t.Errorf("it was no clean stop: %+v", s.Events())
	}
	s.Configure(func(c *plexsim.Config) { c.IgnoreTerm = true })
	s.Start()
	must(t, exec.Command("taskkill", "/im", "Plex Media Server.exe").Run())
	s.WaitEvent(plexsim.EventIgnored, 1)
	if !s.Running() {
		t.Error("it does not run")
	}
}
