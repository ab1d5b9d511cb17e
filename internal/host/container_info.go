package host

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"
)

// ContainerInfo is what the engine says of a container.
type ContainerInfo struct {
	ID     string
	Name   string
	Status string // created, running, paused, restarting, exited, dead

	Env         []string // as it was created with, not what its entry point adds
	Labels      map[string]string
	Mounts      []Mount
	AutoRemove  bool // the engine removes it when it stops
	Healthcheck bool
	SharesPIDs  bool // its processes are among those of another container, or of the machine
}

// Mount is a directory or file of the container that is kept outside of it.
type Mount struct {
	Path     string
	Writable bool
	InMemory bool // a tmpfs: its files go when the container stops
}

// Getenv is the value of a variable that the container was created with.
func (i ContainerInfo) Getenv(name string) string {
	for _, v := range i.Env {
		if value, is := strings.CutPrefix(v, name+"="); is {
			return value
		}
	}
	return ""
}

// MountOf is the mount that a path of the container is on.
func (i ContainerInfo) MountOf(file string) (Mount, bool) {
	var of Mount
	for _, m := range i.Mounts {
		if within(file, m.Path) && len(m.Path) >= len(of.Path) {
			of = m
		}
	}
	return of, of.Path != ""
}

func within(file, dir string) bool {
	return file == dir || strings.HasPrefix(file, strings.TrimSuffix(dir, "/")+"/")
}

// Info asks the engine. Errors are an *Error where a person can do something.
func (c *Container) Info(ctx context.Context) (ContainerInfo, error) {
	found, err := c.inspect(ctx)
	if err != nil {
		return ContainerInfo{}, err
	}
	if found.State == nil || found.Config == nil || found.HostConfig == nil {
		return ContainerInfo{}, fmt.Errorf("%w: it says too little of %s", ErrEngine, c.Name())
	}
	i := ContainerInfo{
		ID: found.ID, Name: strings.TrimPrefix(found.Name, "/"), Status: string(found.State.Status),
		Env: found.Config.Env, Labels: found.Config.Labels,
		AutoRemove:  found.HostConfig.AutoRemove,
		Healthcheck: found.Config.Healthcheck != nil && !slices.Equal(found.Config.Healthcheck.Test, []string{"NONE"}),
		SharesPIDs:  !slices.Contains([]string{"", "private"}, string(found.HostConfig.PidMode)),
	}
	for _, m := range found.Mounts {
		i.Mounts = append(i.Mounts, Mount{Path: path.Clean(m.Destination), Writable: m.RW, InMemory: m.Type == mount.TypeTmpfs})
	}
	for at := range found.HostConfig.Tmpfs {
		i.Mounts = append(i.Mounts, Mount{Path: path.Clean(at), Writable: true, InMemory: true})
	}
	return i, nil
}

// Stop asks the container to stop, with its image's own signal, and waits for as
// long as ctx lives. Without a limit of its own the engine never kills, and what
// a restart policy would do does not happen, since somebody has stopped it. The
// end of ctx ends the waiting, not the stop.
func (c *Container) Stop(ctx context.Context) error {
	api, err := c.engine.client()
	if err != nil {
		return err
	}
	never := -1
	_, err = api.ContainerStop(ctx, c.target.Name, client.ContainerStopOptions{Timeout: &never})
	return c.engine.explain(err)
}

// Running tells whether the container has processes.
func (c *Container) Running(ctx context.Context) (bool, error) {
	found, err := c.inspect(ctx)
	if err != nil {
		return false, err
	}
	return found.State != nil && (found.State.Running || found.State.Status == container.StateRestarting), nil
}

// Start does nothing where the container runs.
func (c *Container) Start(ctx context.Context) error {
	api, err := c.engine.client()
	if err != nil {
		return err
	}
	_, err = api.ContainerStart(ctx, c.target.Name, client.ContainerStartOptions{})
	return c.engine.explain(err)
}

// EngineAddress is how programs on the engine's machine name the engine.
func (c *Container) EngineAddress() string { return c.engine.address }

// EngineEnvironment are the variables that programs there need to reach it.
func (c *Container) EngineEnvironment() []string { return c.engine.environment() }
