package plextv

import (
	"crypto/tls"
	"testing"
)

func TestTheNetworkIsUsedWithTLS12OrLaterAndCertificatesAreChecked(t *testing.T) {
	config := newTransport().TLSClientConfig
	if config.MinVersion < tls.VersionTLS12 || config.InsecureSkipVerify {
		t.Errorf("minimum version %#x, unchecked certificates: %v", config.MinVersion, config.InsecureSkipVerify)
	}
}
