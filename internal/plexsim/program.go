package plexsim

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Exit statuses of the program.
const (
	exitOK         = 0
	exitFailed     = 1
	exitUsage      = 2
	exitNotRunning = 3 // of status, as service managers have it
)

const usage = `usage:
  plexsim server [DIR]                 run the media server of a support directory in the foreground
  plexsim start DIR                    start the media server of a support directory
  plexsim stop [--timeout D] [--no-wait] DIR
  plexsim status DIR                   0 if it runs, 3 if not
  plexsim preferences [--write|--remove] DIR
                                       its preferences as Preferences.xml; status 4 if there are none
  plexsim plextv [--addr A] [--account USER,MAIL,TOKEN]... [--requests FILE]
Under the name "Plex Media Server" it is plexsim server.
`

// Main runs the program; args[0] is the name it was called by.
func Main(args []string, stdout, stderr io.Writer) int {
	if isServerName(args[0]) {
		return runServer(args[1:], stderr)
	}
	if len(args) < 2 {
		_, _ = io.WriteString(stderr, usage)
		return exitUsage
	}
	code, err := run(args[1], args[2:], stdout, stderr)
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "plexsim %s: %v\n", args[1], err)
	}
	return code
}

func isServerName(path string) bool {
	return strings.TrimSuffix(filepath.Base(path), ".exe") == ServerName
}

func run(command string, args []string, stdout, stderr io.Writer) (int, error) {
	switch command {
	case "server":
		return runServer(args, stderr), nil
	case "start", "stop", "status":
		return control(command, args, stdout, stderr)
	case "preferences":
		return runPreferences(args, os.Stdin, stdout, stderr)
	case "plextv":
		return runPlexTV(args, stdout, stderr)
	}
	_, _ = io.WriteString(stderr, usage)
	return exitUsage, errors.New("unknown command")
}

// runServer lives until it is told to stop, and longer where the configuration says
// so. args may begin with its support directory: a service of Windows is given no
// environment.
func runServer(args []string, stderr io.Writer) int {
	getenv := os.Getenv
	if len(args) > 0 {
		getenv = environmentOf(args[0])
	}
	return attend(func(stop <-chan os.Signal) int { // first: it may be told at any time
		config, err := LoadConfig(getenv)
		if err != nil {
			_, _ = fmt.Fprintf(stderr, "%s: %v\n", ServerName, err)
			return exitUsage
		}
		config.Log = stderr
		server := NewServer(config)
		server.Launch()
		for {
			select {
			case <-stop:
				server.Terminate()
			case <-server.Done():
				return server.ExitCode()
			}
		}
	})
}

// environmentOf is the program's environment, but for the support directory.
func environmentOf(dir string) func(string) string {
	return func(name string) string {
		if name == EnvSupportDir {
			return dir
		}
		return os.Getenv(name)
	}
}

func control(command string, args []string, stdout, stderr io.Writer) (int, error) {
	flags := newFlags(stderr)
	timeout := flags.Duration("timeout", 0, "how long stop waits; 0 is for ever")
	noWait := flags.Bool("no-wait", false, "stop does not wait")
	dirs, err := parseInterspersed(flags, args)
	if err != nil {
		return exitUsage, err
	}
	if len(dirs) != 1 {
		return exitUsage, errors.New("one directory is needed")
	}
	supervisor, err := NewSupervisor(dirs[0])
	if err != nil {
		return exitFailed, err
	}
	switch command {
	case "start":
		executable, err := os.Executable()
		if err != nil {
			return exitFailed, err
		}
		return exitStatus(supervisor.Start(executable))
	case "stop":
		if *noWait {
			return exitStatus(supervisor.Terminate())
		}
		return exitStatus(supervisor.Stop(*timeout))
	}
	pid, running := supervisor.Running()
	if !running {
		_, _ = fmt.Fprintln(stdout, "not running")
		return exitNotRunning, nil
	}
	_, _ = fmt.Fprintf(stdout, "running, process %d\n", pid)
	return exitOK, nil
}

func exitStatus(err error) (int, error) {
	if err != nil {
		return exitFailed, err
	}
	return exitOK, nil
}

// newFlags are flags whose errors the caller reports; flag itself prints only how
// they are used.
func newFlags(stderr io.Writer) *flag.FlagSet {
	flags := flag.NewFlagSet("plexsim", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {
		flags.SetOutput(stderr)
		flags.PrintDefaults()
	}
	return flags
}

// parseInterspersed takes flags before and after the other arguments.
func parseInterspersed(flags *flag.FlagSet, args []string) ([]string, error) {
	var rest []string
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return rest, nil
		}
		rest = append(rest, flags.Arg(0))
		args = flags.Args()[1:]
	}
}
