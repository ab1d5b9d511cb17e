//go:build linux

package fleet_test

import (
	"fmt"

	"github.com/homelab-iac/terraform-provider-plex/test/figures"
)

// sample is what was measured.
type sample []float64

// at is the value below which a part of the sample lies.
func (s sample) at(part float64) float64 { return figures.Quantile(s, part) }

func (s sample) median() float64 { return s.at(0.5) }

// cells are the median and the spread, in a format.
func (s sample) cells(format string) string {
	return fmt.Sprintf(format+" | "+format+" | "+format, s.median(), s.at(0.1), s.at(0.9))
}
