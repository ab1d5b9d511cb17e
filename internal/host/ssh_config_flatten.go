package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// configLine is a line of a configuration, and where it stands.
type configLine struct {
	text, file string
	line       int
}

func (l configLine) place() string { return fmt.Sprintf("%s:%d", l.file, l.line) }

// flatten reads a configuration with all that it includes, and without the Match
// blocks that the library does not know. Such a block is an error, which names
// file and line, where it sets anything that is read here; where it does not
// (Fedora's own configuration has one that sets ciphers) it makes no
// difference. "Match host" compares the name as it was asked for.
func flatten(file configFile) ([]configLine, error) {
	f := flattener{base: file.base}
	if err := f.read(file.path, configBlock{header: "Host *"}, 0); err != nil {
		return nil, err
	}
	return f.lines, nil
}

// configBlock is what the lines at hand are for.
type configBlock struct {
	header  string      // its first line, as the library knows it
	some    bool        // it is for some hosts only
	ignored *configLine // the Match that has it ignored
}

type flattener struct {
	base  string
	lines []configLine
}

// maxInclude is how deep files may include each other: OpenSSH's own limit.
const maxInclude = 16

func (f *flattener) read(path string, outer configBlock, depth int) error {
	text, err := os.ReadFile(path) //nolint:gosec // the user's own configuration
	if err != nil {
		return err
	}
	block := outer
	for i, raw := range strings.Split(string(text), "\n") {
		line := configLine{strings.TrimSpace(raw), path, i + 1}
		keyword, args := splitKeyword(line.text)
		switch keyword {
		case "", "#":
		case "host", "match":
			if outer.some {
				return unsupported(line, "a Host or Match in a file that is included for some hosts only")
			}
			if outer.ignored == nil {
				block = openBlock(line, keyword, args)
			}
			f.add(line, block.header)
		case "include":
			if depth == maxInclude {
				return unsupported(line, "an Include that is nested too deeply")
			}
			if err := f.include(args, block, depth); err != nil {
				return err
			}
		default:
			if block.ignored == nil {
				f.add(line, line.text)
			} else if slices.Contains(configKeywords, keyword) {
				return unsupported(*block.ignored, fmt.Sprintf("%q, which sets %s", block.ignored.text, keyword))
			}
		}
	}
	return nil
}

func (f *flattener) add(at configLine, text string) {
	at.text = text
	f.lines = append(f.lines, at)
}

// configKeywords are the keywords that are read.
var configKeywords = []string{
	"hostname", "user", "port", "identityfile", "identitiesonly", "identityagent", "proxyjump", "proxycommand",
	"userknownhostsfile", "hostkeyalias", "connecttimeout",
}

// openBlock is the block that a Host or Match line opens.
func openBlock(line configLine, keyword string, args []string) configBlock {
	if keyword == "host" {
		return configBlock{header: "Host " + strings.Join(args, " "), some: !slices.Equal(args, []string{"*"})}
	}
	criterion := ""
	if len(args) > 0 {
		criterion = strings.ToLower(args[0])
	}
	switch {
	case criterion == "all" && len(args) == 1:
		return configBlock{header: "Host *"}
	case (criterion == "host" || criterion == "originalhost") && len(args) == 2:
		return configBlock{header: "Host " + strings.ReplaceAll(args[1], ",", " "), some: true}
	}
	return configBlock{header: "Host *", ignored: &line}
}

// include reads the files that an Include names; there need not be any.
func (f *flattener) include(patterns []string, block configBlock, depth int) error {
	for _, pattern := range patterns {
		pattern = expandHome(pattern)
		if !filepath.IsAbs(pattern) {
			pattern = filepath.Join(f.base, pattern)
		}
		files, err := filepath.Glob(pattern)
		if err != nil {
			return fmt.Errorf("%s: %w", pattern, err)
		}
		for _, file := range files {
			if err := f.read(file, block, depth+1); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			f.lines = append(f.lines, configLine{text: block.header, file: file})
		}
	}
	return nil
}

// splitKeyword splits a line into its keyword, in lower case, and its
// arguments: "#" for a comment.
func splitKeyword(line string) (keyword string, args []string) {
	if line == "" || line[0] == '#' {
		return "#", nil
	}
	keyword, rest := line, ""
	if end := strings.IndexAny(line, " \t="); end >= 0 {
		keyword, rest = line[:end], line[end:]
	}
	rest = strings.TrimPrefix(strings.TrimSpace(rest), "=")
	for _, arg := range strings.Fields(rest) {
		if strings.HasPrefix(arg, "#") {
			break
		}
		args = append(args, strings.Trim(arg, `"`))
	}
	return strings.ToLower(keyword), args
}

func unsupported(line configLine, what string) error {
	return &Error{
		Err:  fmt.Errorf("the SSH client configuration has what this provider cannot follow: %s: %s", line.place(), what),
		Next: "Write it as Host blocks, or name a file of its own in the provider's ssh.config_path.",
	}
}
