//go:build unix

package host

import "strings"

const onWindows = false

var inherited = map[string]bool{
	"PATH": true, "HOME": true, "USER": true, "LOGNAME": true, "TMPDIR": true, "TZ": true,
	"LANG": true, "XDG_RUNTIME_DIR": true, "DBUS_SESSION_BUS_ADDRESS": true,
}

func isInherited(name string) bool { return inherited[name] || strings.HasPrefix(name, "LC_") }
