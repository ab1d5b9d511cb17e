package server

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

// Conditions of containers that callers act on; match them with errors.Is.
var (
	ErrContainer   = errors.New("the container cannot be managed")
	ErrUndone      = errors.New("the container's environment would undo the edit")
	ErrNotGuarded  = errors.New("nobody would start the container again if this process were lost")
	ErrNotRestored = errors.New("the container would not come back as it was")
)

// Statuses of a container, as the engine says them.
const (
	statusRunning    = "running"
	statusPaused     = "paused"
	statusRestarting = "restarting"
	statusRemoving   = "removing"
	statusDead       = "dead"
)

// containerLook is what can be said of a container before it is touched.
type containerLook struct {
	*Server
	info host.ContainerInfo
	mode string
}

func (l containerLook) refuse(err error, next string) error {
	return &Error{Doing: doingFind, Host: l.Host(), Err: err, State: stateUntouched, Next: next}
}

// usable is an error where nothing can be read or done.
func (l containerLook) usable() error {
	switch l.info.Status {
	case statusPaused:
		return l.refuse(fmt.Errorf("%w: it is paused", ErrContainer), "Resume it, with docker unpause.")
	case statusRestarting:
		return l.refuse(fmt.Errorf("%w: it restarts again and again", ErrContainer), "Look at its log, with docker logs, and stop it or mend it.")
	case statusRemoving, statusDead:
		return l.refuse(fmt.Errorf("%w: the engine is removing it", ErrContainer), "Create it again.")
	}
	if l.info.Status != statusRunning && l.managedInside() {
		return l.refuse(fmt.Errorf("%w: it does not run (%s), and server.service or server.commands mean what is inside it", ErrContainer, l.info.Status),
			"Start the container, or leave server.service and server.commands out.")
	}
	if l.mode == modeEdit && l.info.Getenv("PLEX_CLAIM") != "" && strings.EqualFold(l.info.Getenv("CLAIM_SERVER"), "yes") {
		// plex-facts 5.3: binhex's image empties all four keys at every start.
		return l.refuse(fmt.Errorf("%w: with CLAIM_SERVER=yes and PLEX_CLAIM its image removes the account and claims anew at every start", ErrUndone),
			"Create the container without CLAIM_SERVER and PLEX_CLAIM.")
	}
	return nil
}

// keepers are labels by which somebody else says that the container is theirs,
// and that they put another in its place when it stops.
var keepers = []struct{ label, who, next string }{
	{"com.docker.swarm.service.name", "a service of Docker Swarm", "Scale the service to 0 and mount its volume in a container of its own, or use an image with a supervisor inside."},
	{"io.kubernetes.pod.name", "a pod of Kubernetes", `Use exec = ["kubectl", "exec", "-i", …] with an image that has a supervisor inside.`},
	{"com.hashicorp.nomad.alloc_id", "an allocation of Nomad", "Use an image with a supervisor inside."},
}

func (l containerLook) keeper() (who, next string) {
	for _, k := range keepers {
		if name := l.info.Labels[k.label]; name != "" {
			return fmt.Sprintf("%s (%s)", k.who, name), k.next
		}
	}
	return "", ""
}

// stoppable is an error where the container must not be stopped, or where its
// preferences could not be put back as they were.
func (l containerLook) stoppable(file string) error {
	mount, mounted := l.info.MountOf(file)
	switch {
	case mounted && !mount.Writable:
		return l.refuse(fmt.Errorf("%w: %s is mounted read-only", ErrUnwritable, mount.Path), "Mount it writable.")
	case mounted && mount.Path == file:
		return l.refuse(fmt.Errorf("%w: %s is mounted as a single file, which the engine cannot replace", ErrNotRestored, file), "Mount the directory that holds it.")
	}
	if l.info.Status != statusRunning {
		return nil
	}
	if who, next := l.keeper(); who != "" {
		return l.refuse(fmt.Errorf("%w: it belongs to %s, which replaces it when it stops", ErrNotRestored, who), next)
	}
	switch {
	case l.info.AutoRemove:
		return l.refuse(fmt.Errorf("%w: the engine removes it when it stops (--rm)", ErrNotRestored), "Create it without --rm.")
	case mounted && mount.InMemory:
		return l.refuse(fmt.Errorf("%w: %s is in memory (tmpfs) and empty after a stop", ErrNotRestored, mount.Path), "Put the data directory on a volume.")
	case l.info.SharesPIDs:
		return l.refuse(fmt.Errorf("%w: it shares the processes of another, so that its end does not prove theirs", ErrContainer), "Create it without --pid.")
	}
	return nil
}

// warnings are what undoes the work later. file may be empty: not known.
func (l containerLook) warnings(file string, process1 bool) []string {
	var all []string
	warn := func(format string, values ...any) { all = append(all, fmt.Sprintf(format, values...)) }
	if file != "" {
		if _, mounted := l.info.MountOf(file); !mounted {
			warn("The data directory of %s (%s) is on no volume: all of it, with the binding, is lost when the container is created anew.", l.Host(), path.Dir(file))
		}
	}
	for _, name := range []string{"PLEX_CLAIM", "PLEX_CLAIM_FILE", "claim_code", "CLAIM_CODE"} {
		if l.info.Getenv(name) == "" {
			continue
		}
		if name == "PLEX_CLAIM" && strings.EqualFold(l.info.Getenv("CLAIM_SERVER"), "yes") {
			warn("%s has CLAIM_SERVER=yes and PLEX_CLAIM: its image removes the account and claims anew at every start. It cannot be managed before it is created without them.", l.Host())
			continue
		}
		warn("%s has %s: when it is created anew, and at some images' every start, a server without an account is claimed with what it holds.", l.Host(), name)
	}
	if strings.EqualFold(l.info.Getenv("CHANGE_CONFIG_DIR_OWNERSHIP"), "true") {
		warn("%s has CHANGE_CONFIG_DIR_OWNERSHIP: where the preferences belong to another user than the one it is told, its next start changes the owner of every file, which can take long.", l.Host())
	}
	for _, v := range l.info.Env {
		name, value, _ := strings.Cut(v, "=")
		key, _, _ := strings.Cut(value, "=")
		if strings.HasPrefix(name, "PLEX_PREFERENCE_") && slices.Contains(prefs.BindingKeys(), strings.TrimSpace(key)) {
			warn("%s has %s, which sets %s again at every start.", l.Host(), name, strings.TrimSpace(key))
		}
	}
	if who, _ := l.keeper(); who != "" && !process1 && l.info.Healthcheck {
		warn("%s belongs to %s, which may replace it when its health check fails while the server is stopped.", l.Host(), who)
	}
	return all
}
