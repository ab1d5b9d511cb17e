package simtest

import (
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// PeakMemory is the most memory, in bytes, that live objects, and a little garbage, had in do.
// Tests that use it must not run beside others.
func PeakMemory(do func()) uint64 {
	defer debug.SetGCPercent(debug.SetGCPercent(10))
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	over, done := make(chan struct{}), make(chan uint64)
	go func() {
		var most uint64
		for tick := time.NewTicker(time.Millisecond); ; {
			metrics.Read(sample)
			most = max(most, sample[0].Value.Uint64())
			select {
			case <-tick.C:
			case <-over:
				tick.Stop()
				done <- most
				return
			}
		}
	}()
	metrics.Read(sample)
	before := sample[0].Value.Uint64()
	do()
	close(over)
	return max(before, <-done) - before
}
