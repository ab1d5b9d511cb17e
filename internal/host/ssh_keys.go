package host

import (
	"bytes"
	"errors"
	"io/fs"
	"os"

	"golang.org/x/crypto/ssh"
)

// identity is a key, as much of it as could be read.
type identity struct {
	from   string
	signer ssh.Signer       // nil: an agent may have it
	public ssh.PublicKey    // nil: not known
	cert   *ssh.Certificate // nil: none
}

// signers are the keys to try, in order: those of the settings, of the client
// configuration, of the agent.
func (l *sshLogin) signers() ([]ssh.Signer, error) {
	ids := l.identities()
	var signers []ssh.Signer
	for _, id := range ids {
		if id.signer != nil {
			signers = append(signers, l.offers(id, id.signer)...)
		}
	}
	return append(signers, l.agentSigners(ids)...), nil
}

// offers is a key with its certificate before it, as keys that note their being tried.
func (l *sshLogin) offers(id identity, signer ssh.Signer) []ssh.Signer {
	all := []ssh.Signer{signer}
	if id.cert != nil && !isCertificate(signer.PublicKey()) {
		if certified, err := ssh.NewCertSigner(id.cert, signer); err == nil {
			all = []ssh.Signer{certified, signer}
		} else {
			l.skip("the certificate of %s (it is not for this key)", id.from)
		}
	}
	var noting []ssh.Signer
	for _, s := range all {
		a, ok := s.(ssh.AlgorithmSigner)
		if !ok {
			continue // all of the library's are
		}
		what := "publickey " + describeKey(s.PublicKey()) + " (" + id.from + ")"
		noting = append(noting, notingSigner{AlgorithmSigner: a, note: func() { l.try(what) }})
	}
	return noting
}

// notingSigner notes that a key is shown to the host.
type notingSigner struct {
	ssh.AlgorithmSigner
	note func()
}

func (s notingSigner) PublicKey() ssh.PublicKey {
	s.note()
	return s.AlgorithmSigner.PublicKey()
}

func (l *sshLogin) identities() []identity {
	var ids []identity
	if l.key != "" {
		ids = append(ids, l.parse("ssh.private_key", []byte(l.key)))
	}
	if l.keyPath != "" {
		ids = append(ids, l.load(l.keyPath, false))
	}
	for _, path := range l.paths {
		ids = append(ids, l.load(path, l.byDefault))
	}
	return ids
}

// load reads a key file, and what lies beside it.
func (l *sshLogin) load(path string, mayBeMissing bool) identity {
	id := identity{from: path}
	switch text, err := os.ReadFile(path); { //nolint:gosec // the user's own key
	case err == nil:
		id = l.parse(path, text)
	case mayBeMissing && errors.Is(err, fs.ErrNotExist):
	default:
		l.skip("%v", err)
	}
	if id.public == nil {
		id.public = readPublicKey(path + ".pub")
	}
	id.cert, _ = readPublicKey(path + "-cert.pub").(*ssh.Certificate)
	return id
}

func (l *sshLogin) parse(from string, text []byte) identity {
	signer, err := ssh.ParsePrivateKey(text)
	var encrypted *ssh.PassphraseMissingError
	if errors.As(err, &encrypted) {
		if l.passphrase == "" {
			l.skip("%s (it has a passphrase, and ssh.passphrase is not set)", from)
			return identity{from: from, public: encrypted.PublicKey}
		}
		if signer, err = ssh.ParsePrivateKeyWithPassphrase(text, []byte(l.passphrase)); err != nil {
			l.skip("%s (ssh.passphrase is not its passphrase)", from)
			return identity{from: from, public: encrypted.PublicKey}
		}
	}
	if err == nil {
		return identity{from: from, signer: signer, public: signer.PublicKey()}
	}
	// An IdentityFile may be a public key, whose private one an agent has.
	if public, _, _, _, err := ssh.ParseAuthorizedKey(text); err == nil {
		return identity{from: from, public: public}
	}
	l.skip("%s (it holds no private key in OpenSSH's or PEM format)", from)
	return identity{from: from}
}

// readPublicKey returns nil where there is none.
func readPublicKey(path string) ssh.PublicKey {
	text, err := os.ReadFile(path) //nolint:gosec // beside the user's own key
	if err != nil {
		return nil
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		return nil
	}
	return key
}

// isKeyOf tells whether key is the identity's public key, or a certificate of it.
func (id identity) isKeyOf(key ssh.PublicKey) bool {
	if id.public == nil {
		return false
	}
	return bytes.Equal(plainKey(id.public).Marshal(), plainKey(key).Marshal())
}

func plainKey(key ssh.PublicKey) ssh.PublicKey {
	if cert, ok := key.(*ssh.Certificate); ok {
		return cert.Key
	}
	return key
}

func isCertificate(key ssh.PublicKey) bool {
	_, is := key.(*ssh.Certificate)
	return is
}
