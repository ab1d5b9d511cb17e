package host

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
)

// learning lets one host at a time into known_hosts, whichever pool asks.
var learning sync.Mutex

// learn takes the key of a host that was not known, and writes it down. It looks
// again first: another may have met the host meanwhile, with another key.
func (t *hostTrust) learn(remote net.Addr, key ssh.PublicKey) error {
	if len(t.hop.knownHosts) == 0 {
		return nil // UserKnownHostsFile none: nobody wants it written down
	}
	learning.Lock()
	defer learning.Unlock()
	db, err := readKnownHosts(t.hop.knownHosts)
	if err != nil {
		return t.refuse("Correct that line, or remove it.", "%s: %v", t.hop, err)
	}
	if err := db.HostKeyCallback()(t.hop.keyName, remote, key); !knownhosts.IsHostUnknown(err) {
		return t.verdict(err, key)
	}
	file := t.hop.knownHosts[0]
	if err := appendLine(file, knownhosts.Line([]string{t.hop.keyName}, key)); err != nil {
		return t.refuse("Make the file writable, name another one in the provider's ssh.known_hosts_path, or set ssh.host_key.",
			"the key of %s, %s, cannot be written down: %v", t.hop, describeKey(key), err)
	}
	return nil
}

// appendLine appends one whole line in one write, so that neither another
// process that does the same nor a last line without its end can mix with it.
func appendLine(file, line string) (err error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600) //nolint:gosec // the user's own known_hosts
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	open, err := endsOpen(f)
	if err != nil {
		return err
	}
	if open {
		line = "\n" + line
	}
	_, err = fmt.Fprint(f, line+"\n")
	return err
}

// endsOpen tells whether the last line of a file lacks its end.
func endsOpen(f *os.File) (bool, error) {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 || !info.Mode().IsRegular() {
		return false, err
	}
	last := make([]byte, 1)
	if _, err := f.ReadAt(last, info.Size()-1); err != nil {
		return false, err
	}
	return last[0] != '\n', nil
}
