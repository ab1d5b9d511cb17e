package server

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

// stage gives the batch what makes before into after, and what takes back what
// that adds. It is done before the stop: a line at a time takes a round trip for
// each. The script needs none of it.
func (c *session) stage(ctx context.Context, before, after prefs.Document) error {
	if !c.dialect.batch {
		return nil
	}
	changes, undo, err := registryLines(before, after)
	if err != nil {
		return err
	}
	for _, file := range []struct {
		name  string
		lines []string
	}{{"changes", changes}, {"undo", undo}} {
		if have, sent := c.staged[file.name]; sent && slices.Equal(have, file.lines) {
			continue
		}
		delete(c.staged, file.name)
		if err := c.ask(ctx, "file "+file.name); err != nil {
			return err
		}
		for _, line := range file.lines {
			if err := c.ask(ctx, "line "+line); err != nil {
				return err
			}
		}
		if c.staged == nil {
			c.staged = map[string][]string{}
		}
		c.staged[file.name] = file.lines
	}
	return nil
}

// ask sends a line of what the batch shall keep, and waits until it asks for more.
func (c *session) ask(ctx context.Context, line string) error {
	if err := c.say(line, nil); err != nil {
		return err
	}
	r, err := c.next(ctx)
	if err == nil && r.name != "more" {
		err = fmt.Errorf("%w: it says %q", ErrDisconnected, r.name)
	}
	return err
}

// write has after written in the place of before: with the command write, or with
// write-from-before.
func (c *session) write(ctx context.Context, command string, before, after prefs.Document) error {
	if !c.dialect.batch {
		content := after.Bytes()
		return c.say(fmt.Sprintf("%s %d", command, len(content)), content)
	}
	if err := c.stage(ctx, before, after); err != nil {
		return err
	}
	was, ok1 := before.(*prefs.Registry)
	next, ok2 := after.(*prefs.Registry)
	// What a server has damaged, the batch mends as it writes.
	if c.native == nil || command != "write" || !ok1 || !ok2 {
		return c.say(command, nil)
	}
	if err := c.ask(ctx, "native"); err != nil {
		return err
	}
	if err := c.native(was, next); err != nil {
		return c.say(command, nil) // as from anywhere else; it puts back what cannot be written
	}
	return c.say("wrote", nil)
}

// registryLines are the lines, below the header and the key, of a file that makes
// the values of before those of after when reg.exe imports it; and of one that
// takes away again what was added. They are printable ASCII without spaces, of
// which cmd.exe, which writes them into the file, changes nothing.
func registryLines(before, after prefs.Document) (changes, undo []string, err error) {
	was, ok1 := before.(*prefs.Registry)
	next, ok2 := after.(*prefs.Registry)
	if !ok1 || !ok2 {
		return nil, nil, fmt.Errorf("%w: preferences that are not in a registry", errors.ErrUnsupported)
	}
	deleted, set, err := prefs.RegistryDelta(was, next)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range deleted {
		changes = append(changes, quoteName(name)+"=-")
	}
	for _, v := range set {
		text, _ := next.Get(v.Name)
		changes = append(changes, valueLines(v, text)...)
		if _, had := was.Get(v.Name); !had {
			undo = append(undo, quoteName(v.Name)+"=-")
		}
	}
	for _, line := range changes {
		if strings.ContainsFunc(line, func(r rune) bool { return r <= ' ' || r > '~' || r == '!' }) {
			return nil, nil, fmt.Errorf("%w: the name of a value that has more than letters and digits of ASCII", errors.ErrUnsupported)
		}
	}
	return changes, undo, nil
}

var quoteRegistry = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func quoteName(name string) string { return `"` + quoteRegistry.Replace(name) + `"` }

// plainText is a text of which neither cmd.exe nor an import changes anything.
var plainText = regexp.MustCompile(`^[A-Za-z0-9@._+-]{1,900}$`)

// valueLines is a value in lines that set /p can read, of fewer than 1023
// characters. A text as REG_SZ is plain where it can be: how an import takes the
// data of a text in hexadecimal digits depends on how the file is encoded, for
// some by its first line, for Wine's by its byte order mark.
func valueLines(v prefs.RegistryValue, text string) []string {
	if v.Type == 1 && plainText.MatchString(text) && len(v.Data) == 2*len(text)+2 {
		return []string{quoteName(v.Name) + "=" + quoteName(text)}
	}
	const octets = 250
	line := fmt.Sprintf("%s=hex(%x):", quoteName(v.Name), v.Type)
	var lines []string
	for i, octet := range v.Data {
		if i > 0 {
			line += ","
		}
		if i > 0 && i%octets == 0 {
			lines = append(lines, line+`\`)
			line = ""
		}
		line += fmt.Sprintf("%02x", octet)
	}
	return append(lines, line)
}
