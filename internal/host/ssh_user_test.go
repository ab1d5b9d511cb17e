package host

import "testing"

func TestNamesOfUsers(t *testing.T) {
	for name, valid := range map[string]bool{
		"me": true, "plex_1.den-x": true, "Some One": true, `CORP\me`: true, `CORP\Some One`: true, "me@corp.example.com": true,
		"Ünal": true, "O'Hara $(x)": true, // it goes through no shell
		"": false, " ": false, " me": false, "me ": false, "-l": false, "me\nyou": false, "me\tyou": false, "me\x00": false, "me\x1b[2J": false,
		"me\u00a0you": false, "me\u202eyou": false, "me\u200b": false, "me\xff": false,
	} {
		if ValidUser(name) != valid {
			t.Errorf("%q is valid: %v, want %v", name, !valid, valid)
		}
	}
}
