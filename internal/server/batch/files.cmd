rem The lock, the copies, and the new preferences in the place of the old.
rem
rem place: the directory of the server's lock and, if no other is given, of its copies. The machine
rem identifier is the server's name whichever user looks, by whatever name of the key.
:place
set "machine_id=!id!"
set "shared=!ProgramData!\terraform-provider-plex"
if not exist "!shared!\" mkdir "!shared!" >nul 2>nul
set "lock_file=!shared!\!id!.lock"
set "guard_lock=!shared!\!id!.guard"
exit /b 0
rem lock_and_edit: the lock is that standard error goes to a file, which no second process can open
rem for writing as long as that lasts, and which the system closes when this process ends, however. It
rem ends with the lock: who had left it before would share the rest with the guard.
:lock_and_edit
set "naps=0"
:lock_again
set "locked="
call :locked 2>"!lock_file!"
if !naps! geq !p_lock_limit! (
set "detail=the lock !lock_file! cannot be taken"
call :last_line "!lock_file!.holder"
call :fail locked
)
set /a naps=naps+1
call :nap
goto lock_again
:locked
if exist "!guard_lock!" del "!guard_lock!" >nul 2>nul
if exist "!guard_lock!" exit /b 0
set "locked=1"
>"!lock_file!.holder" echo !p_holder!
call :edit_locked
goto leave
rem prepare: everything that can fail for want of room or rights, before the stop.
:prepare
set "copies=!p_backup_dir!"
if not defined copies set "copies=!shared!\!id!"
if not exist "!copies!\" mkdir "!copies!" >nul 2>nul
if not exist "!copies!\" (
set "detail=!copies! cannot be made"
call :fail backup-directory
)
icacls "!copies!" /inheritance:r /grant:r "*S-1-5-18:(OI)(CI)F" "*S-1-5-32-544:(OI)(CI)F" "*S-1-3-4:(OI)(CI)F" >icacls.log 2>&1
if errorlevel 1 (
call :last_line icacls.log
set "detail=the rights of !copies! cannot be limited: !detail!"
call :fail backup-directory
)
set "stem=!copies!\!id!-!p_stamp!"
set "before=!stem!.before.reg"
set "after=!stem!.after.reg"
call :export "!before!"
if errorlevel 1 call :fail no-key
copy /b /y "!before!" "!after!" >nul
if not exist "!after!" (
set "detail=!after! cannot be written"
call :fail no-room
)
set "file=!before!"
set "good=!before!"
exit /b 0
rem export FILE: a copy of the key's values.
:export
reg export "!key!" %1 /y >export.log 2>&1
if not errorlevel 1 if exist %1 exit /b 0
call :last_line export.log
exit /b 1
rem whole: errorlevel 0 when the key is that server's.
:whole
call :read_id "!key!"
if "!id!"=="!machine_id!" exit /b 0
exit /b 1
rem import FILE: errorlevel 1 with a detail when not all of it could be set.
:import
reg import %1 >import.log 2>&1
if not errorlevel 1 exit /b 0
call :last_line import.log
exit /b 1
rem restore: what the good copy says, and nothing of what was added since.
:restore
call :import "!good!"
if errorlevel 1 exit /b 1
if exist undo.reg call :import undo.reg
if errorlevel 1 exit /b 1
exit /b 0
rem prune: keeps the copies of the last p_keep operations on this server.
:prune
call :prune_kind before
call :prune_kind after
exit /b 0
:prune_kind
set "kept=0"
dir /b /o-n "!copies!\!machine_id!-*.%1.reg" >copies.txt 2>nul
for /f "usebackq delims=" %%a in ("copies.txt") do (
set /a kept=kept+1
if !kept! gtr !p_keep! del "!copies!\%%a"
)
exit /b 0
