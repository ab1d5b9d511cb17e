package plexsim

import (
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	user32                  = windows.NewLazySystemDLL("user32.dll")
	registerClass           = user32.NewProc("RegisterClassExW")
	createWindow            = user32.NewProc("CreateWindowExW")
	defWindowProc           = user32.NewProc("DefWindowProcW")
	getMessage              = user32.NewProc("GetMessageW")
	dispatchMessage         = user32.NewProc("DispatchMessageW")
	postMessage             = user32.NewProc("PostMessageW")
	wmClose         uintptr = 0x10
)

// windowClass is WNDCLASSEXW.
type windowClass struct {
	size, style                        uint32
	procedure                          uintptr
	classExtra, windowExtra            int32
	instance, icon, cursor, background windows.Handle
	menuName, className                *uint16
	smallIcon                          windows.Handle
}

// message is MSG.
type message struct {
	window         windows.HWND
	message        uint32
	wParam, lParam uintptr
	time           uint32
	x, y           int32
	private        uint32
}

// openWindow opens a top-level window that nobody sees, as that of an application in
// the notification area is: who asks it to close, without force, asks for a stop.
// The window lives as long as the process.
func openWindow(stop chan<- os.Signal) error {
	opened := make(chan error)
	go func() {
		runtime.LockOSThread() // a window's messages come to the thread that made it
		err := makeWindow(stop)
		opened <- err
		if err != nil {
			return
		}
		var m message
		for {
			if more, _, _ := getMessage.Call(uintptr(unsafe.Pointer(&m)), 0, 0, 0); int32(more) <= 0 {
				return
			}
			_, _, _ = dispatchMessage.Call(uintptr(unsafe.Pointer(&m)))
		}
	}()
	return <-opened
}

func makeWindow(stop chan<- os.Signal) error {
	name, err := windows.UTF16PtrFromString(ServerName)
	if err != nil {
		return err
	}
	class := windowClass{className: name, procedure: windows.NewCallback(func(window, message, wParam, lParam uintptr) uintptr {
		if message == wmClose {
			select {
			case stop <- os.Interrupt:
			default: // it has been told often enough
			}
			return 0 // the window stays
		}
		result, _, _ := defWindowProc.Call(window, message, wParam, lParam)
		return result
	})}
	class.size = uint32(unsafe.Sizeof(class))
	if atom, _, err := registerClass.Call(uintptr(unsafe.Pointer(&class))); atom == 0 {
		return err
	}
	if window, _, err := createWindow.Call(0, uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(name)), 0, 0, 0, 0, 0, 0, 0, 0, 0); window == 0 {
		return err
	}
	return nil
}

// closeWindows asks all top-level windows of a process to close, as taskkill does.
// The error is fs.ErrNotExist if it has none.
func closeWindows(pid int) error {
	found := false
	callback := windows.NewCallback(func(window windows.HWND, _ uintptr) uintptr {
		var owner uint32
		if _, err := windows.GetWindowThreadProcessId(window, &owner); err == nil && int(owner) == pid {
			posted, _, _ := postMessage.Call(uintptr(window), wmClose, 0, 0)
			found = found || posted != 0
		}
		return 1 // go on
	})
	if err := windows.EnumWindows(callback, nil); err != nil {
		return err
	}
	if !found {
		return os.ErrNotExist
	}
	return nil
}
