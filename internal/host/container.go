package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// ErrNoContainer is wrapped by the error of a container that the engine does
// not know; ErrContainerState by that of one in which nothing can be started.
var (
	ErrNoContainer    = errors.New("there is no such container")
	ErrContainerState = errors.New("the container does not run")
)

// ContainerTarget says which container is meant.
type ContainerTarget struct {
	Name string // or its id

	// Engine is unix:///path/docker.sock or tcp://host:port, as the machine that
	// has the engine sees it. Empty: DOCKER_HOST for this machine's, else
	// DefaultEngine.
	Engine string
}

// Container is a container of a Docker Engine. Its Shell runs inside, as root.
type Container struct {
	on     Host
	engine *engine
	target ContainerTarget
}

var _ Host = (*Container)(nil)

// NewContainer does no I/O. The engine is on the machine on.
func NewContainer(on Host, t ContainerTarget) *Container {
	return &Container{on: on, engine: newEngine(on, t.Engine), target: t}
}

// Name implements Host.
func (c *Container) Name() string {
	if _, here := c.on.(Local); here {
		return "container " + c.target.Name
	}
	return "container " + c.target.Name + " on " + c.on.Name()
}

// Machine is the one that has the engine.
func (c *Container) Machine() Host { return c.on }

// Shell implements Host.
func (c *Container) Shell(ctx context.Context, script string) (Shell, error) {
	s, err := startShell(ctx, c.Name(), containerRunner{c}, posixShell, Become{}, script)
	if errors.Is(err, ErrNoInterpreter) {
		return nil, &Error{Err: err, Next: "A container without a shell is managed where the server is its first process: leave server.service and server.commands out."}
	}
	return s, err
}

// Dial implements Host. Where the container has the network of its machine, so
// has its loopback; else the container's own address stands for it, where the
// server, though not who listens on the loopback only, can be reached too.
func (c *Container) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	name, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	ip, parse := netip.ParseAddr(name)
	if name != "localhost" && (parse != nil || !ip.IsLoopback()) {
		return c.on.Dial(ctx, network, address)
	}
	of, err := c.inspect(ctx)
	if err != nil {
		return nil, err
	}
	for hop := 0; of.HostConfig != nil && of.HostConfig.NetworkMode.IsContainer() && hop < 3; hop++ {
		if of, err = c.inspectAs(ctx, of.HostConfig.NetworkMode.ConnectedContainer()); err != nil {
			return nil, err
		}
	}
	if of.HostConfig != nil && of.HostConfig.NetworkMode == "host" {
		return c.on.Dial(ctx, network, address)
	}
	if of.State == nil || !of.State.Running {
		return nil, fmt.Errorf("%w (%s): %w", ErrContainerState, c.Name(), syscall.ECONNREFUSED)
	}
	if own, ok := addressOf(of); ok {
		return c.on.Dial(ctx, network, net.JoinHostPort(own.String(), port))
	}
	return nil, fmt.Errorf("%w: %s has no address that its machine can reach", ErrNoForwarding, c.Name())
}

// addressOf is the container's address in the first of its networks by name.
func addressOf(of container.InspectResponse) (netip.Addr, bool) {
	if of.NetworkSettings == nil {
		return netip.Addr{}, false
	}
	var names []string
	for name := range of.NetworkSettings.Networks {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		n := of.NetworkSettings.Networks[name]
		if n == nil {
			continue
		}
		for _, ip := range []netip.Addr{n.IPAddress, n.GlobalIPv6Address} {
			if ip.IsValid() && !ip.IsUnspecified() {
				return ip, true
			}
		}
	}
	return netip.Addr{}, false
}

func (c *Container) inspect(ctx context.Context) (container.InspectResponse, error) {
	return c.inspectAs(ctx, c.target.Name)
}

func (c *Container) inspectAs(ctx context.Context, name string) (container.InspectResponse, error) {
	api, err := c.engine.client()
	if err != nil {
		return container.InspectResponse{}, err
	}
	found, err := api.ContainerInspect(ctx, name, client.ContainerInspectOptions{})
	if errdefs.IsNotFound(err) {
		return container.InspectResponse{}, c.unknown(ctx, api, name)
	}
	return found.Container, c.engine.explain(err)
}

// unknown is the error for a name that the engine does not know. It says which
// ones it knows.
func (c *Container) unknown(ctx context.Context, api *client.Client, name string) error {
	said := fmt.Errorf("%w: %q (%s on %s)", ErrNoContainer, name, c.engine.address, c.on.Name())
	all, err := api.ContainerList(ctx, client.ContainerListOptions{All: true})
	if err != nil {
		return &Error{Err: said, Next: "Set server.container.name to the name that docker ps shows."}
	}
	var similar, running []string
	for _, one := range all.Items {
		for _, its := range one.Names {
			its = strings.TrimPrefix(its, "/")
			if alike(its, name) {
				similar = append(similar, its)
			}
			if one.State == container.StateRunning {
				running = append(running, its)
			}
		}
	}
	next := "The engine has no container that runs. Start it, or set server.container.engine to the engine that has it."
	switch {
	case len(similar) > 0:
		next = "Set server.container.name to the one that is meant; similar names: " + list(similar) + "."
	case len(running) > 0:
		next = "Set server.container.name to the one that is meant; these run: " + list(running) + "."
	}
	return &Error{Err: said, Next: next}
}

// alike tells whether one name holds the other, or Plex's.
func alike(has, wanted string) bool {
	has, wanted = strings.ToLower(has), strings.ToLower(wanted)
	return strings.Contains(has, wanted) || strings.Contains(wanted, has) || strings.Contains(has, "plex")
}

func list(names []string) string {
	const most = 12
	slices.Sort(names)
	if len(names) > most {
		names = append(names[:most:most], fmt.Sprintf("and %d more", len(names)-most))
	}
	return strings.Join(names, ", ")
}
