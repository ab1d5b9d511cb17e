//go:build !linux

package host

import "testing"

func realSSHD(t *testing.T) (SSHSettings, SSHTarget) {
	t.Helper()
	t.Skip("NOT RUN by SSH: the test's sshd is for Linux")
	return SSHSettings{}, SSHTarget{}
}
