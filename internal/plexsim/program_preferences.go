package plexsim

import (
	"errors"
	"io"
	"io/fs"
)

// exitNone is the status of `preferences` where a server has none.
const exitNone = 4

// runPreferences prints the preferences of a support directory's server, wherever
// they are kept, in the layout of Preferences.xml; or it replaces them with what it
// reads, or removes them.
func runPreferences(args []string, stdin io.Reader, stdout, stderr io.Writer) (int, error) {
	flags := newFlags(stderr)
	write := flags.Bool("write", false, "replace them with those on standard input")
	remove := flags.Bool("remove", false, "remove them")
	dirs, err := parseInterspersed(flags, args)
	if err != nil {
		return exitUsage, err
	}
	if len(dirs) != 1 || *write && *remove {
		return exitUsage, errors.New("one directory is needed, and one thing to do")
	}
	config, err := LoadConfig(environmentOf(dirs[0]))
	if err != nil {
		return exitFailed, err
	}
	store, err := newStore(config)
	if err != nil {
		return exitFailed, err
	}
	at := func() ending { return untouched }
	switch {
	case *remove:
		return exitStatus(store.remove())
	case *write:
		data, err := io.ReadAll(stdin)
		if err != nil {
			return exitFailed, err
		}
		prefs, err := parsePreferences(data)
		if err != nil {
			return exitUsage, err
		}
		return exitStatus(store.save(at, func() *preferences { return prefs }))
	}
	prefs, err := store.load()
	if errors.Is(err, fs.ErrNotExist) {
		return exitNone, nil
	}
	if err != nil {
		return exitFailed, err
	}
	_, err = stdout.Write(prefs.render())
	return exitStatus(err)
}
