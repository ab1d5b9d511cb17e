package prefs

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"howett.net/plist"
)

// How an edit is known to be right.
//
// howett.net/plist reads property lists, but writing what it read loses the order of keys, comments, the width of numbers and more. The
// readers of this package keep every byte, but are ours. So, as in xml_proof.go, ours say where to cut, and howett's, which shares no code
// with them, says what the bytes mean:
//
//   - Every document that is read, from outside or after an edit, is read by both, and both must see the same values of the same types under
//     the same names. The order of names is only known to ours, since howett's makes a map of a dictionary.
//   - After every edit, our reading of the new bytes must be that of the old ones with exactly the difference that was asked for, in the
//     settings, their order, their types and how each is written, and in all else that the format has (plistFile.keeps).
//
// Texts of howett's errors quote the document, so none of them is passed on.

// checkAgreement reports whether howett's reader sees the same values. It is only asked once ours has accepted the document, since it has no
// bounds of its own.
func (p *PropertyList) checkAgreement() error {
	var seen any
	format, err := plist.Unmarshal(p.data, &seen)
	if err != nil {
		return fmt.Errorf("%w: a second reader refuses it (%T)", ErrNotPropertyList, err)
	}
	if format != p.file.format() {
		return fmt.Errorf("%w: a second reader takes it for another format", ErrNotPropertyList)
	}
	if !agrees(p.root, seen, format) {
		return fmt.Errorf("%w: a second reader sees other values", ErrNotPropertyList)
	}
	return nil
}

// agrees compares a value with howett's reading of it.
func agrees(v *plistValue, seen any, format int) bool {
	switch seen := seen.(type) {
	case string:
		return v.kind == plistString && v.text == seen
	case bool:
		return v.kind == plistBoolean && v.text == booleanText(seen)
	case uint64:
		return v.kind == plistInteger && v.text == strconv.FormatUint(seen, 10)
	case int64:
		return v.kind == plistInteger && v.text == strconv.FormatInt(seen, 10)
	case float64:
		return v.kind == plistReal && v.text == realText(seen)
	case float32:
		return v.kind == plistReal && v.text == realText(float64(seen))
	case []byte:
		return v.kind == plistData && v.text == hex.EncodeToString(seen)
	case time.Time:
		return v.kind == plistDate && sameDate(v.text, seen)
	case plist.UID:
		return v.kind == plistUID && v.text == strconv.FormatUint(uint64(seen), 10) || isUIDDictionary(v)
	case []any:
		items := v.items
		if format == plist.OpenStepFormat {
			// howett's reader leaves empty strings out of these arrays.
			items = slices.DeleteFunc(slices.Clone(items), func(item *plistValue) bool { return item.kind == plistString && item.text == "" })
		}
		return v.kind == plistArray && slices.EqualFunc(items, seen, func(item *plistValue, s any) bool { return agrees(item, s, format) })
	case map[string]any:
		if v.kind != plistDictionary || len(v.keys) != len(seen) {
			return false
		}
		for i, key := range v.keys {
			if s, ok := seen[key]; !ok || !agrees(v.items[i], s, format) {
				return false
			}
		}
		return true
	}
	return false
}

// isUIDDictionary reports whether a dictionary is one that howett's reader takes for a UID, which XML has no element for. What number it is
// then is only known to our reader.
func isUIDDictionary(v *plistValue) bool {
	return v.kind == plistDictionary && slices.Equal(v.keys, []string{"CF$UID"}) &&
		(v.items[0].kind == plistInteger || v.items[0].kind == plistString)
}

// sameDate compares a date with howett's reading of it, which for a date before or long after ours is off by the rounding of a double. One
// that is no date of the years 1 to 9999 (infinity, not a number) is only known to our reader: time.Time has none of these.
func sameDate(text string, seen time.Time) bool {
	date, err := time.Parse(time.RFC3339, text)
	return err != nil || date.Sub(seen).Abs() < time.Millisecond
}

// become makes p the edited document if that is proven to be p with the wanted root, else leaves p alone. See XML.become for why here.
func (p *PropertyList) become(edited []byte, want *plistValue) error {
	if len(edited) > MaxSize {
		return fmt.Errorf("%w: the edit would make it %d bytes, at most %d are written", ErrTooLarge, len(edited), MaxSize)
	}
	next, err := parsePlist(edited)
	switch {
	case errors.Is(err, ErrTooLarge):
		return err
	case err != nil:
		// Not wrapped: the sentinel is about the edit, and a caller must not take it for a fault of the server's file.
		return fmt.Errorf("%w: %s", ErrUnproven, err.Error())
	case !next.root.sameItems(want):
		return fmt.Errorf("%w: the settings are not those intended", ErrUnproven)
	case !next.file.keeps(p.file):
		return fmt.Errorf("%w: something other than a setting has changed", ErrUnproven)
	}
	*p = *next
	return nil
}
