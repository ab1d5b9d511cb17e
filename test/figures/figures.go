// Package figures is what the benchmarks share.
package figures

import (
	"os"
	"slices"
	"strings"
)

// Quantile is the value below which a part of the values lies, between two of
// them in proportion; 0 for none.
func Quantile(values []float64, part float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	place := part * float64(len(sorted)-1)
	low := int(place)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (place-float64(low))*(sorted[high]-sorted[low])
}

// Load is how busy the machine is with all that runs on it: its load average.
func Load() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Fields(string(data))[0]
}
