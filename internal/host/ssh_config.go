package host

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	sshconfig "github.com/kevinburke/ssh_config"
)

// sshConfig is the OpenSSH client configuration: the user's, then the system's.
type sshConfig struct {
	files []*sshconfig.Config
}

// configFile is a file to read.
type configFile struct {
	path     string
	base     string // what an Include's relative path is relative to
	required bool
}

// loadSSHConfig reads the configuration at path, or the usual ones.
func loadSSHConfig(path string) (*sshConfig, error) {
	user := expandHome("~/.ssh")
	if path != "" {
		return readSSHConfig(configFile{expandHome(path), user, true})
	}
	return readSSHConfig(configFile{filepath.Join(user, "config"), user, false}, configFile{"/etc/ssh/ssh_config", "/etc/ssh", false})
}

func readSSHConfig(files ...configFile) (*sshConfig, error) {
	c := &sshConfig{}
	for _, file := range files {
		lines, err := flatten(file)
		if errors.Is(err, fs.ErrNotExist) && !file.required {
			continue
		}
		var parsed *sshconfig.Config
		if err == nil {
			parsed, err = parseConfig(lines)
		}
		if err != nil {
			return nil, badConfig(err)
		}
		c.files = append(c.files, parsed)
	}
	return c, nil
}

// badConfig is err with a way out, where it has none yet.
func badConfig(err error) error {
	var advised *Error
	if errors.As(err, &advised) {
		return err
	}
	return &Error{
		Err:  fmt.Errorf("the SSH client configuration cannot be read: %w", err),
		Next: "Check the provider's ssh.config_path.",
	}
}

// parseConfig has the library parse the lines. It takes almost everything; what
// it refuses for good, a Match, is not among them.
func parseConfig(lines []configLine) (*sshconfig.Config, error) {
	var text strings.Builder
	for _, line := range lines {
		text.WriteString(line.text + "\n")
	}
	return sshconfig.Decode(strings.NewReader(text.String()))
}

// get is the first value of key for alias, which is the one that counts; empty: none.
func (c *sshConfig) get(alias, key string) string {
	for _, file := range c.files {
		if value, err := file.Get(alias, key); err == nil && value != "" {
			return value
		}
	}
	return ""
}

// all are the values of a key that adds up.
func (c *sshConfig) all(alias, key string) []string {
	var all []string
	for _, file := range c.files {
		if values, err := file.GetAll(alias, key); err == nil {
			all = append(all, values...)
		}
	}
	return all
}

func (c *sshConfig) is(alias, key string) bool { return strings.EqualFold(c.get(alias, key), "yes") }
