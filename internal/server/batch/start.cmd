rem server.cmd looks at one Plex Media Server on Windows and edits its preferences as one
rem transaction. It runs under cmd.exe and is held open by the provider, which decides; this
rem script only does. What it is told (variables whose names begin with p_) stands before it.
rem
rem It answers with records: a name on a line, a value, and a line that holds the nonce. It takes
rem commands, a line each, and each only when a record has asked for it, since cmd.exe takes all
rem that waits in a pipe and keeps one line:
rem   again            send the preferences once more
rem   file NAME        what follows are the lines of changes.reg or undo.reg, which begins anew
rem   line TEXT        one of them
rem   go ID            from here on the server, whose machine identifier is ID, may be stopped
rem   write            the preferences become what changes.reg says
rem   write-from-before   the same; what the server left as it stopped is no good
rem   native           the provider, which runs here, begins to write them itself
rem   wrote            it has written them
rem   keep             no new preferences; start what is there, if it is whole
rem   check            send the preferences as they are now
rem   revert           stop again, put back what was there, start again
rem   done             all is well
rem Whenever the far side says nothing more, the script finishes by itself: the server runs again,
rem with the old preferences or with the new ones, whole. Once the server may be stopped, a guard
rem watches: this same file, run as "server.cmd guard" by a process of its own.
rem
rem No name of a variable that others set stands between percent signs: host.BatchHost says why.
rem Wine's cmd.exe lacks some of what that of Windows has, so these are not used: && and ||, a
rem redirection behind a closing parenthesis, parts of a variable (!x:~1!, !x:a=b!), and lists in a
rem variable (for %%a in (!x!)), and a for within a for. A text is taken apart by writing it into a file and reading that.
if not "%1"=="" chcp 65001 >nul 2>nul
if not "%1"=="" cd /d "%~dp0"
set "batch_dir=!CD!"
set "stage=idle"
set "was=unknown"
set "detail="
set "key="
set "exe="
set "manager="
set "unit="
set "before="
set "after="
set "good="
set "written="
set "done="
set "guarded="
set "machine_id="
if "%1"=="guard" goto guard
if "%1"=="start" goto start_here
set "value=1"
call :say hello
call :locate
if "!p_mode!"=="inspect" goto inspect
goto edit
