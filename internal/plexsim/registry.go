package plexsim

import (
	"fmt"
	"slices"
	"strings"
)

const registryPrefix = "HKEY_"

// defaultKey is the registry key of the real server (facts 5.4).
const defaultKey = `HKEY_CURRENT_USER\Software\Plex, Inc.\Plex Media Server`

// numbers are preferences that the registry has as REG_DWORD from the first; all
// others are REG_SZ (facts 5.4). A value that is there keeps the type it has.
var numbers = []string{keyHome, "AcceptedEULA", "FirstRun", "MetricsEpoch", "PublishServerOnPlexOnlineKey"}

func isNumber(name string) bool { return slices.Contains(numbers, name) }

// splitKey parts the path of a registry key into its root and the rest.
func splitKey(path string) (root, key string, err error) {
	root, key, found := strings.Cut(path, `\`)
	if !found || key == "" {
		return "", "", fmt.Errorf("%q names no registry key", path)
	}
	return root, key, nil
}
