//go:build !unix

package simtest

import "testing"

// Mac is an emulated one, which only a Unix system can be made into.
type Mac struct{}

func labMac(t testing.TB) *Mac {
	t.Helper()
	t.Fatal("a Mac cannot be emulated on this system")
	return nil
}

func (*Mac) adopt(*ServerProcess) keeper { return nil }
