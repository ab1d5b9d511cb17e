//go:build !unix

package plexsim

import "errors"

func newDefaults(string, Config) (store, error) {
	return nil, errors.New("an emulated Mac needs a Unix system under it")
}
