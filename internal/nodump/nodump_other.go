//go:build !unix

package nodump

// Protect does nothing: this system makes no core dumps by itself.
func Protect() error { return nil }
