//go:build !windows

package plexsim

import (
	"errors"
	"fmt"
)

func newRegistry(path string) (store, error) {
	return nil, fmt.Errorf("%s: %w: only Windows has a registry", path, errors.ErrUnsupported)
}
