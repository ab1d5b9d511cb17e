//go:build linux

package server_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// Rule 1: nothing is stopped before all that can fail earlier has succeeded.

func TestContainerThatWouldNotComeBackIsNotStopped(t *testing.T) {
	for _, c := range []struct {
		name      string
		layout    layout
		arguments []string
		want      error
		says      string
	}{
		{"removed when it stops", process1, []string{"--rm"}, server.ErrNotRestored, "--rm"},
		{"of Swarm", process1, []string{"--label=com.docker.swarm.service.name=media_plex"}, server.ErrNotRestored, "media_plex"},
		{"of Kubernetes", process1, []string{"--label=io.kubernetes.pod.name=plex-0"}, server.ErrNotRestored, "kubectl"},
		{"with the machine's processes", process1, []string{"--pid=host"}, server.ErrContainer, "--pid"},
		{"that is claimed anew at every start", linuxserver, []string{"--env=CLAIM_SERVER=yes", "--env=PLEX_CLAIM=claim-x"}, server.ErrUndone, "CLAIM_SERVER"},
		{"that is claimed anew, process 1", process1, []string{"--env=CLAIM_SERVER=yes", "--env=PLEX_CLAIM=claim-x"}, server.ErrUndone, "CLAIM_SERVER"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t, c.layout, boxOptions{arguments: c.arguments})
			before := b.preferences()
			_, err := b.server().Edit(t.Context(), unbind)
			wantContainerError(t, b, err, c.want)
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v does not say %q", err, c.says)
			}
			b.wantUntouched(before)
			if !b.answers() {
				t.Error("the server does not answer")
			}
		})
	}
}

func TestContainerWhosePreferencesCannotBeReplacedIsNotStopped(t *testing.T) {
	for name, c := range map[string]struct {
		o    boxOptions
		want error
	}{
		"mounted as a file": {boxOptions{more: func(b *box) []string {
			return []string{"--volume", b.path() + ":/config/Library/Application Support/Plex Media Server/Preferences.xml"}
		}}, server.ErrNotRestored},
		"mounted read-only": {boxOptions{noVolume: true, created: true, more: func(b *box) []string {
			return []string{"--volume", b.dir + ":/config:ro"}
		}}, server.ErrUnwritable},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, process1, c.o)
			before := b.preferences()
			_, err := b.server().Edit(t.Context(), unbind)
			wantContainerError(t, b, err, c.want)
			b.wantUntouched(before)
		})
	}
}

func TestContainerCopiesNeedADirectoryOfTheirOwn(t *testing.T) {
	b := newBox(t, process1, boxOptions{})
	b.must(os.Mkdir(b.config.DataDir()+".terraform-backups", 0o755))
	before := b.preferences()
	_, err := b.server().Edit(t.Context(), unbind)
	wantContainerError(t, b, err, server.ErrBackupDirectory)
	b.wantUntouched(before)
	if !b.answers() {
		t.Error("the server does not answer")
	}
}

func TestContainerThatIsPausedIsNotTouched(t *testing.T) {
	everyLayout(t, func(t *testing.T, l layout) {
		b := newBox(t, l, boxOptions{})
		before := b.preferences()
		b.docker("pause", b.Name)
		_, err := b.server().Edit(t.Context(), unbind)
		wantContainerError(t, b, err, server.ErrContainer)
		if !strings.Contains(err.Error(), "docker unpause") {
			t.Errorf("the way out is not said: %v", err)
		}
		b.docker("unpause", b.Name)
		b.wantUntouched(before)
	})
}

func TestContainerThatDoesNotRunHasNoServiceInside(t *testing.T) {
	b := newBox(t, pmsDocker, boxOptions{created: true})
	before := b.preferences()
	_, err := b.server(func(o *server.Options) { o.Service.Name = "plex" }).Edit(t.Context(), unbind)
	wantContainerError(t, b, err, server.ErrContainer)
	if !strings.Contains(err.Error(), "Start the container") || b.runs() {
		t.Errorf("%v; runs: %v", err, b.runs())
	}
	b.wantUntouched(before)
}

func TestContainerEngineThatDoesNotRunIsSaid(t *testing.T) {
	needEngine(t)
	s := newServer(t, host.NewContainer(host.Local{}, host.ContainerTarget{Name: "plex", Engine: "unix://" + t.TempDir() + "/none.sock"}), server.Options{})
	for name, do := range map[string]func(context.Context) error{
		"inspect": func(ctx context.Context) error { _, err := s.Inspect(ctx); return err },
		"edit":    func(ctx context.Context) error { _, err := s.Edit(ctx, unbind); return err },
	} {
		err := do(t.Context())
		wantErrorSays(t, name, err, "container plex", "Start the engine", "Nothing was stopped")
	}
}

func wantErrorSays(t *testing.T, what string, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("%s: no error", what)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v does not say %q", what, err, text)
		}
	}
}

func TestContainerOptionsThatUndoTheWorkAreWarnedOf(t *testing.T) {
	for _, c := range []struct {
		name      string
		arguments []string
		noVolume  bool
		says      string // empty: no warning
	}{
		{"nothing special", []string{"--env=ALLOWED_NETWORKS=192.0.2.0/24", "--env=PLEX_PREFERENCE_1=FriendlyName=Den"}, false, ""},
		{"a claim token", []string{"--env=PLEX_CLAIM=claim-secret"}, false, "PLEX_CLAIM:"},
		{"a file with a claim token", []string{"--env=PLEX_CLAIM_FILE=/run/secrets/claim"}, false, "PLEX_CLAIM_FILE:"},
		{"a claim code", []string{"--env=claim_code=claim-secret"}, false, "claim_code:"},
		{"ownership", []string{"--env=CHANGE_CONFIG_DIR_OWNERSHIP=true"}, false, "CHANGE_CONFIG_DIR_OWNERSHIP"},
		{"a key of the binding", []string{"--env=PLEX_PREFERENCE_2=PlexOnlineToken=secret"}, false, "PLEX_PREFERENCE_2, which sets PlexOnlineToken"},
		{"no volume", nil, true, "is on no volume"},
	} {
		for _, l := range []layout{linuxserver, process1} {
			t.Run(c.name+" "+l.image, func(t *testing.T) {
				t.Parallel()
				b := newBox(t, l, boxOptions{arguments: c.arguments, noVolume: c.noVolume})
				found, err := b.server().Inspect(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				said := strings.Join(found.Warnings, "\n")
				if (said == "") != (c.says == "") || !strings.Contains(said, c.says) || strings.Contains(said, "secret") && !strings.Contains(said, "secrets") {
					t.Errorf("warnings: %q, want %q", found.Warnings, c.says)
				}
				if n := len(found.Warnings); n > 1 {
					t.Errorf("%d warnings: %q", n, found.Warnings)
				}
				if !c.noVolume && b.count(plexsim.EventStopping) != 0 {
					t.Error("it was stopped")
				}
			})
		}
	}
}

func TestContainerWarningsAreInTheReportOfAnEdit(t *testing.T) {
	b := newBox(t, process1, boxOptions{arguments: []string{"--env=PLEX_CLAIM=claim-x"}})
	report := mustEdit(t, b.server(), unbind)
	if !strings.Contains(strings.Join(report.Warnings, " "), "PLEX_CLAIM") {
		t.Errorf("warnings: %q", report.Warnings)
	}
}

func TestContainerWithoutAVolumeIsEditedAllTheSame(t *testing.T) {
	b := newBox(t, process1, boxOptions{noVolume: true})
	mustEdit(t, b.server(), unbind)
	got, err := b.host(host.Local{}).Get(t.Context(), "/config/Library/Application Support/Plex Media Server/Preferences.xml")
	if err != nil || hasToken(t, got.Data) {
		t.Errorf("%v %s", err, got.Data)
	}
}
