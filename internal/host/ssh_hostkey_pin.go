package host

import (
	"bytes"
	"net"
	"strings"

	"golang.org/x/crypto/ssh"
)

// pinnedRounds are asked one after the other where a pin is a fingerprint: it
// does not say of which type the key is, and a host shows one key at a time.
var pinnedRounds = [][]string{
	{ssh.KeyAlgoED25519},
	{ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521},
	{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA},
}

// pinned has t take the hop's pinned key only.
func (t *hostTrust) pinned() error {
	pin := t.hop.pin
	if strings.HasPrefix(pin, "SHA256:") {
		pin = strings.TrimRight(pin, "=")
		t.rounds = pinnedRounds
		t.judge = func(_ net.Addr, key ssh.PublicKey) error {
			if ssh.FingerprintSHA256(key) == pin {
				return nil
			}
			return t.notPinned(key, pin)
		}
		return nil
	}
	want, _, _, _, err := ssh.ParseAuthorizedKey([]byte(pin))
	if err != nil {
		return t.refuse(`Write it as in a public key file, "ssh-ed25519 AAAA…", or as a fingerprint, "SHA256:…" (ssh-keygen -lf).`,
			"the host_key of %s cannot be read", t.hop)
	}
	t.rounds = [][]string{algorithmsOf(want.Type())}
	t.judge = func(_ net.Addr, key ssh.PublicKey) error {
		if bytes.Equal(key.Marshal(), want.Marshal()) {
			return nil
		}
		return t.notPinned(key, describeKey(want))
	}
	return nil
}

// notPinned names all keys that the host has shown so far.
func (t *hostTrust) notPinned(key ssh.PublicKey, want string) error {
	t.mu.Lock()
	t.shown = append(t.shown, describeKey(key))
	shown := strings.Join(t.shown, ", ")
	t.mu.Unlock()
	return t.mismatch("it shows %s, expected is %s (host_key)", shown, want)
}
