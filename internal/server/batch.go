package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"embed"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

// PlatformWindows has no POSIX shell: what the script does elsewhere is done by a
// batch of cmd.exe there (docs/design/windows.md).
const PlatformWindows = "windows"

// The batch comes in pieces as the script does. cmd.exe reads a line when it runs
// it, so the pieces are labels behind the first.
//
//go:embed batch/*.cmd
var batchPieces embed.FS

var batch = assembleBatch("start", "talk", "find", "processes", "manager", "manager_app", "manager_service",
	"files", "edit", "finish", "guard")

// assembleBatch joins the pieces, without comments and indentation.
func assembleBatch(names ...string) string {
	var b strings.Builder
	for _, name := range names {
		text, err := batchPieces.ReadFile("batch/" + name + ".cmd")
		if err != nil {
			panic(err) // a name above that is not a file beside it
		}
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSpace(line)
			if line != "" && line != "rem" && !strings.HasPrefix(line, "rem ") {
				b.WriteString(line + "\r\n")
			}
		}
	}
	return b.String()
}

var errNotBatch = errors.New("this way to a host gives no shell on Windows")

// openBatch starts the batch.
func (s *Server) openBatch(ctx context.Context, mode string) (*session, error) {
	h, ok := hostAs[host.BatchHost](s.host)
	if !ok {
		return nil, s.unreached("Starting a shell", errNotBatch)
	}
	if err := s.checkManager(); err != nil {
		return nil, err
	}
	nonce := "#:" + rand.Text()
	program, err := s.batchProgram(mode, nonce)
	if err != nil {
		return nil, s.unreached("Starting a shell", err)
	}
	shell, err := h.Batch(ctx, program)
	if err != nil {
		return nil, s.unreached("Starting a shell", err)
	}
	c := speak(shell, dialectBatch, nonce)
	c.native = nativeStore(s.host)
	return c, nil
}

// checkManager refuses a manager of another kind of system.
func (s *Server) checkManager() error {
	manager, _ := s.options.managed()
	if manager == "" || manager == ManagerCommands || slices.Contains(windowsManagers, manager) {
		return nil
	}
	f := failures["service-not-found"]
	return &Error{
		Doing: f.doing, Host: s.Host(), State: f.state, Next: f.next,
		Err: fmt.Errorf("%w: there is no %s on Windows, which has %s", f.err, manager, strings.Join(windowsManagers, " and ")),
	}
}

// batchProgram is the batch with what it has to know before it.
func (s *Server) batchProgram(mode, nonce string) (string, error) {
	o := s.options
	manager, unit := o.managed()
	key := o.PreferencesPath
	if key != "" {
		var err error
		if key, err = prefs.RegistryKey(key); err != nil {
			return "", fmt.Errorf("server.preferences_path: %w", err)
		}
	}
	_, port := portOf(o.URL)
	set, err := host.SetBatch(
		"p_mode", mode, "p_nonce", nonce, "p_holder", holder(), "p_port", fmt.Sprint(port),
		"p_manager", manager, "p_unit", unit, "p_preferences", key,
		"p_stop", o.Commands.Stop, "p_start", o.Commands.Start, "p_status", o.Commands.Status,
		"p_backup_dir", o.Backup.Directory, "p_keep", fmt.Sprint(o.Backup.Keep),
		// The name of this edit's copies, which sorts them by age, and of its tasks.
		"p_stamp", time.Now().UTC().Format("20060102T150405.000Z")+"-"+strings.ToLower(rand.Text()[:6]),
		"p_stop_limit", seconds(o.StopTimeout), "p_command_limit", seconds(o.Limits.Command),
		"p_lock_limit", seconds(o.Limits.Lock), "p_silence", seconds(o.Limits.Silence),
		"p_verify_limit", seconds(o.Limits.Verify+time.Minute), "p_linger", seconds(o.Limits.Linger),
	)
	if err != nil {
		return "", err
	}
	return set + batch, nil
}

// recordOver is the batch's last record. The shell in which it runs may go on, and
// keep its output open.
const recordOver = "over"

// decode returns the preferences that the batch has sent in base64, as certutil
// writes it: between two lines that say it were a certificate. What is none of
// that is returned as it is, and whoever parses it says so.
func decode(name string, value []byte) []byte {
	if !documents[name] {
		return value
	}
	block, _ := pem.Decode(append(bytes.ReplaceAll(value, []byte("\r\n"), []byte("\n")), '\n'))
	if block == nil {
		return value
	}
	return block.Bytes
}
