package host

import (
	"io"
	"sync"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// agentConn is the connection to an agent, which may be closed while it is used.
type agentConn struct {
	mu     sync.Mutex
	conn   io.Closer
	closed bool
}

func (c *agentConn) set(conn io.Closer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn = conn; c.closed {
		_ = conn.Close()
	}
}

func (c *agentConn) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed = true; c.conn != nil {
		_ = c.conn.Close()
	}
}

// agentSigners are the keys of the agent; with IdentitiesOnly those of ids only.
func (l *sshLogin) agentSigners(ids []identity) []ssh.Signer {
	if l.agent == "" {
		if l.noAgent != "" {
			l.skip("keys of an agent (%s)", l.noAgent)
		}
		return nil
	}
	conn, err := dialAgent(l.agent)
	if err != nil {
		l.skip("keys of the agent (%v)", err)
		return nil
	}
	l.agentConn.set(conn)
	held, err := agent.NewClient(conn).Signers()
	if err != nil {
		l.skip("keys of the agent at %s (%v)", l.agent, err)
		return nil
	}
	var signers []ssh.Signer
	for _, signer := range held {
		id, known := find(ids, signer.PublicKey())
		switch {
		case l.only && !known:
			l.skip("%s of the agent (IdentitiesOnly)", describeKey(signer.PublicKey()))
		case known && id.signer != nil && !isCertificate(signer.PublicKey()): // the file's own is tried
		default:
			id.from = "agent"
			signers = append(signers, l.offers(id, signer)...)
		}
	}
	return signers
}

func find(ids []identity, key ssh.PublicKey) (identity, bool) {
	for _, id := range ids {
		if id.isKeyOf(key) {
			return id, true
		}
	}
	return identity{}, false
}
