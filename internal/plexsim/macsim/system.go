//go:build unix

package macsim

import (
	"os"
	"strconv"
)

func itoa(n int) string { return strconv.Itoa(n) }

// uname -s | -n.
func (c *call) uname() error {
	if len(c.args) != 1 {
		return c.usage()
	}
	switch c.args[0] {
	case "-s":
		c.say("Darwin")
	case "-n":
		name, err := os.Hostname()
		if err != nil {
			return err
		}
		c.say("%s", name)
	default:
		return c.usage()
	}
	return nil
}
