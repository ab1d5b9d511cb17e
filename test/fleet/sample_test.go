//go:build linux

package fleet_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// sample is what was measured.
type sample []float64

// at is the value below which a part of the sample lies.
func (s sample) at(part float64) float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	place := part * float64(len(sorted)-1)
	low := int(place)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (place-float64(low))*(sorted[high]-sorted[low])
}

func (s sample) median() float64 { return s.at(0.5) }

// cells are the median and the spread, in a format.
func (s sample) cells(format string) string {
	return fmt.Sprintf(format+" | "+format+" | "+format, s.median(), s.at(0.1), s.at(0.9))
}

// load is how busy the machine is with all that runs on it.
func load() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Fields(string(data))[0]
}
