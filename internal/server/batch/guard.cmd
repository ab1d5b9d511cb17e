rem The guard: a process of its own that does what the script would have done, when the script is
rem gone, or when the far side has said nothing for too long. That the script is there shows in
rem that the lock is held: a file that is open for writing cannot be deleted.
:guard
for /f "usebackq tokens=1,* delims==" %%a in ("found.txt") do set "%%a=%%b"
set "locked="
call :watch 2>"!guard_lock!"
if "!locked!"=="over" exit
del "!guard_lock!" >nul 2>nul
del "!lock_file!.holder" >nul 2>nul
cd /d "!SystemRoot!" & rmdir /s /q "!batch_dir!" >nul 2>nul & exit 0
:watch
>guarded echo x
set "silent=0"
:watch_more
call :nap
if exist over (
set "locked=over"
exit /b 0
)
del "!lock_file!" >nul 2>nul
if not exist "!lock_file!" goto take_over
if not exist turn (
set "silent=0"
goto watch_more
)
set /a silent=silent+1
set "patience=!p_silence!"
for /f "usebackq" %%a in ("turn") do if "%%a"=="started" set "patience=!p_verify_limit!"
if !silent! lss !patience! goto watch_more
ren turn turn.guard >nul 2>nul
if not exist turn.guard goto watch_more
:take_over
for /f "usebackq" %%a in ("stage.txt") do set "stage=%%a"
if exist written set "written=yes"
if "!stage!"=="stopping" goto linger
if "!stage!"=="stopped" goto bring_back
if "!stage!"=="resting" goto bring_back
if "!stage!"=="started" goto settle
if "!stage!"=="writing" call :restore
if "!stage!"=="writing" goto bring_back
exit /b 0
