//go:build unix

package macsim

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/macsim/cfprefs"
)

// Domain is one of the user's lists.
func (m Mac) Domain(u User, name string) cfprefs.Domain {
	return cfprefs.Domain{Mac: string(m), UID: u.UID, Home: u.Home, Name: name}
}

// defaults export DOMAIN - | import DOMAIN - | delete DOMAIN NAME | read DOMAIN|FILE NAME.
func (c *call) defaults() error {
	if len(c.args) != 3 {
		return c.usage()
	}
	verb, domain, what := c.args[0], c.args[1], c.args[2]
	c.mac.stall(verb + " " + what)
	if verb == "read" && strings.HasPrefix(domain, "/") {
		return c.readFile(domain, what)
	}
	u, err := c.mac.user(strconv.Itoa(os.Getuid()))
	if err != nil {
		return err
	}
	// With another home directory these would be the defaults of nobody.
	u.Home = os.Getenv("HOME")
	list := c.mac.Domain(u, domain)
	switch {
	case verb == "export" && what == "-":
		return c.export(list)
	case verb == "import" && what == "-":
		return c.importList(list)
	case verb == "delete":
		return c.deleteName(list, what)
	case verb == "read":
		return c.readName(list, what)
	}
	return c.usage()
}

func (c *call) export(list cfprefs.Domain) error {
	if owner, err := c.mac.user(strconv.Itoa(list.UID)); err != nil || owner.Home != list.Home {
		// Another home directory, another list: one that has nothing.
		_, err := c.stdout.Write(cfprefs.Encode(cfprefs.Dict{}))
		return err
	}
	was, err := list.Load()
	if errors.Is(err, fs.ErrNotExist) {
		was, err = cfprefs.Dict{}, nil
	}
	if err != nil {
		return err
	}
	_, err = c.stdout.Write(cfprefs.Encode(was))
	return err
}

func (c *call) importList(list cfprefs.Domain) error {
	data, err := io.ReadAll(c.stdin)
	if err != nil {
		return err
	}
	given, err := cfprefs.Decode(data)
	if err != nil {
		return errors.New("could not parse the property list on standard input")
	}
	return list.Update(func(was cfprefs.Dict) (cfprefs.Dict, error) {
		if was == nil || c.mac.is(faultReplace) {
			return c.mac.lossy(given)
		}
		for name, value := range given {
			was[name] = value
		}
		return c.mac.lossy(was)
	})
}

func (c *call) deleteName(list cfprefs.Domain, name string) error {
	err := list.Update(func(was cfprefs.Dict) (cfprefs.Dict, error) {
		if _, there := was[name]; !there {
			return nil, status(1)
		}
		delete(was, name)
		return was, nil
	})
	if errors.Is(err, status(1)) {
		_, _ = fmt.Fprintf(c.stderr, "Domain (%s) not found.\nDefaults have not been changed.\n", list.Name)
	}
	return err
}

func (c *call) readName(list cfprefs.Domain, name string) error {
	was, err := list.Load()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return c.print(was, list.Name, name)
}

// readFile is "defaults read" of a path, with or without its ending.
func (c *call) readFile(path, name string) error {
	data, err := os.ReadFile(strings.TrimSuffix(path, ".plist") + ".plist")
	if err != nil {
		return c.print(nil, path, name)
	}
	list, err := cfprefs.Decode(data)
	if err != nil {
		return err
	}
	return c.print(list, path, name)
}

func (c *call) print(list cfprefs.Dict, domain, name string) error {
	switch value := list[name].(type) {
	case nil:
		_, _ = fmt.Fprintf(c.stderr, "The domain/default pair of (%s, %s) does not exist\n", domain, name)
		return status(1)
	case bool:
		if value {
			c.say("1")
		} else {
			c.say("0")
		}
	case string:
		c.say("%s", value)
	case cfprefs.Scalar:
		c.say("%s", value.Text)
	case cfprefs.Dict:
		c.say("{")
		for name, value := range value {
			c.say("    %s = %v;", name, map[any]string{true: "1", false: "0"}[value])
		}
		c.say("}")
	default:
		return c.usage()
	}
	return nil
}
