package host

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"
)

// Values of SSHSettings.HostKeyChecking.
const (
	// HostKeyStrict takes only a host key that is known. It is the default.
	HostKeyStrict = "strict"
	// HostKeyAcceptNew writes the key of a host that is not known yet into
	// known_hosts, and refuses one that has changed.
	HostKeyAcceptNew = "accept-new"
)

// SSHSettings are the defaults for every machine that is reached by SSH. A
// zero value is not set: the OpenSSH client configuration decides, then the
// default that is named.
type SSHSettings struct {
	// User and Port go before the client configuration. For a jump host the
	// configuration goes before User, and Port does not count.
	User string
	Port int

	PrivateKey     string // a key as in a key file, tried before all others
	PrivateKeyPath string // a key file, tried next; a certificate lies beside it as -cert.pub
	Passphrase     string // for every key that has one
	Password       string // for the methods password and keyboard-interactive

	// Agent says whether keys of an agent are tried. nil: where SSH_AUTH_SOCK or
	// the configuration's IdentityAgent names one; on Windows also OpenSSH's pipe.
	Agent *bool

	// ConfigPath is the OpenSSH client configuration. Default: ~/.ssh/config,
	// then /etc/ssh/ssh_config, which need not be there; a file that is named
	// here must be.
	ConfigPath string

	// KnownHostsPath is the only file of host keys. Default: the
	// configuration's UserKnownHostsFile, else ~/.ssh/known_hosts, and
	// /etc/ssh/ssh_known_hosts.
	KnownHostsPath string

	HostKeyChecking string // HostKeyStrict or HostKeyAcceptNew

	// ProxyJump is as OpenSSH's: [user@]host[:port], several with commas, or
	// "none". It is used for every target, and not for the jump hosts themselves.
	ProxyJump string

	// ConnectTimeout bounds each hop: TCP, handshake and authentication
	// together. Default: the configuration's ConnectTimeout, else 15 seconds.
	ConnectTimeout time.Duration
}

// SSHTarget is one machine. What it names goes before SSHSettings.
type SSHTarget struct {
	Host string // a name, an address, or an alias of the client configuration
	Port int
	User string

	// HostKey is the only key that the machine may have, in place of
	// known_hosts: "ssh-ed25519 AAAA…" as in a public key file, or "SHA256:…".
	HostKey string
}

// String is the target as the user wrote it: [user@]host[:port].
func (t SSHTarget) String() string {
	name := t.Host
	if t.Port != 0 {
		name = net.JoinHostPort(t.Host, strconv.Itoa(t.Port))
	}
	if t.User != "" {
		name = t.User + "@" + name
	}
	return name
}

// SSH is a machine that is reached by SSH, through the connections of an SSHPool.
type SSH struct {
	pool   *SSHPool
	target SSHTarget
	become Become
}

var _ BatchHost = (*SSH)(nil)

// Name implements Host: the target as the user wrote it.
func (h *SSH) Name() string { return h.target.String() }

// Shell implements Host. It waits for one of the connection's sessions, as long
// as ctx allows. On a host with Windows its error wraps ErrNotPOSIX: whether one
// is, is asked once, when there is no POSIX shell.
func (h *SSH) Shell(ctx context.Context, script string) (Shell, error) {
	if h.pool.hasBatch(h.target) {
		return nil, onHost(h.Name(), ErrNotPOSIX)
	}
	s, err := startShell(ctx, h.Name(), h, posixShell, h.become, script)
	if errors.Is(err, errNoShell) && h.answersBatch(ctx) {
		h.pool.rememberBatch(h.target)
		return nil, onHost(h.Name(), ErrNotPOSIX)
	}
	return s, err
}

// Batch implements BatchHost.
func (h *SSH) Batch(ctx context.Context, script string) (Shell, error) {
	return startBatch(ctx, h.Name(), h.become, script, func(command []string) (*process, error) { return h.runBatch(ctx, command) })
}

// answersBatch tells whether the host has cmd.exe, whatever its login shell is.
// What a shell says that knows no exec is in the language of the host; this is not.
func (h *SSH) answersBatch(ctx context.Context) bool {
	const id = "asked"
	p, err := h.runBatch(ctx, batchCommand(id))
	if err != nil {
		return false
	}
	defer p.abandon()
	return awaitBatch(ctx, id, p) == nil
}

func (h *SSH) runBatch(ctx context.Context, command []string) (*process, error) {
	return h.pool.start(ctx, h.target, strings.Join(command, " "))
}

// run implements runner. The command line is given to the user's login shell,
// which may be csh or fish: a shell of any kind takes it as these words.
func (h *SSH) run(ctx context.Context, argv []string) (*process, error) {
	return h.pool.start(ctx, h.target, "exec "+quoteAll(argv))
}

// Dial implements Host. The network is "tcp", or "unix" for the path of a
// socket on the machine.
func (h *SSH) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return h.pool.forward(ctx, h.target, network, address)
}
