package plexsim

import (
	"net/http"
	"slices"
	"strconv"
)

// settings answers GET /:/prefs.
type settings struct {
	XMLName struct{}  `xml:"MediaContainer" json:"-"`
	Size    int       `xml:"size,attr" json:"size"`
	Setting []setting `xml:"Setting" json:"Setting"`
}

type setting struct {
	ID      string `xml:"id,attr" json:"id"`
	Type    string `xml:"type,attr" json:"type"`
	Default string `xml:"default,attr" json:"default"`
	Value   string `xml:"value,attr" json:"value"`
	Hidden  bit    `xml:"hidden,attr" json:"hidden"`
	Group   string `xml:"group,attr" json:"group"`
}

// unlisted are the preferences that /:/prefs neither shows nor takes. The mail
// address is not among them (facts 2.6).
var unlisted = []string{keyToken, keyUsername, keyHome, keyProcessed}

func (p *process) serveSettings(w http.ResponseWriter, r *http.Request) {
	list := settings{Setting: []setting{}}
	for _, a := range p.snapshot().attributes {
		if !slices.Contains(unlisted, a.name) {
			list.Setting = append(list.Setting, settingOf(a))
		}
	}
	list.Size = len(list.Setting)
	answer(w, r, list)
}

// changeSettings is how the settings page alters what the server has in memory.
func (p *process) changeSettings(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	err := p.change(func(prefs *preferences) {
		for name := range query {
			if name != "X-Plex-Token" && !slices.Contains(unlisted, name) {
				prefs.set(name, query.Get(name))
			}
		}
	})
	if err != nil {
		html(w, http.StatusInternalServerError, "500 Internal Server Error")
		return
	}
	w.WriteHeader(http.StatusOK)
}

// settingOf guesses the type from the value; nothing reads more into it.
func settingOf(a attribute) setting {
	s := setting{ID: a.name, Type: "text", Value: a.value}
	switch _, err := strconv.Atoi(a.value); {
	case a.value == "0" || a.value == "1":
		s.Type = "bool"
		s.Value = strconv.FormatBool(a.value == "1")
	case err == nil:
		s.Type = "int"
	}
	return s
}
