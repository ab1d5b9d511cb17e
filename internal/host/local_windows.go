package host

import "strings"

const onWindows = true

// inherited are what Windows and its own commands need. Their names are compared
// without regard to case: PATH is Path there.
var inherited = map[string]bool{
	"PATH": true, "PATHEXT": true, "COMSPEC": true, "SYSTEMROOT": true, "SYSTEMDRIVE": true, "WINDIR": true, "OS": true,
	"TEMP": true, "TMP": true, "USERNAME": true, "USERDOMAIN": true, "USERPROFILE": true, "HOMEDRIVE": true, "HOMEPATH": true,
	"APPDATA": true, "LOCALAPPDATA": true, "PROGRAMDATA": true, "PUBLIC": true, "ALLUSERSPROFILE": true, "COMPUTERNAME": true,
	"PROGRAMFILES": true, "PROGRAMFILES(X86)": true, "PROGRAMW6432": true, "COMMONPROGRAMFILES": true,
	"PROCESSOR_ARCHITECTURE": true, "NUMBER_OF_PROCESSORS": true, "SESSIONNAME": true,
}

func isInherited(name string) bool { return inherited[strings.ToUpper(name)] }
