rem The guard: a process of its own that does what the script would have done, when the script is
rem gone, or when the far side has said nothing for too long. That the script is there shows in
rem that the lock is held: a file that is open for writing cannot be deleted.
:guard
for /f "usebackq tokens=1,* delims==" %%a in ("found.txt") do set "%%a=%%b"
set "locked="
call :watch 2>"!guard_lock!"
if not defined locked exit
del "!guard_lock!" >nul 2>nul
if "!locked!"=="guard" del "!lock_file!.holder" >nul 2>nul
call :nap
cd /d "!SystemRoot!" & rmdir /s /q "!batch_dir!" >nul 2>nul & exit 0
:watch
set "locked=guard"
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
call :end_batch
:take_over
rem That is said before the lock is given up.
if exist over (
set "locked=over"
exit /b 0
)
for /f "usebackq" %%a in ("stage.txt") do set "stage=%%a"
if "!stage!"=="stopping" goto linger
if "!stage!"=="stopped" goto bring_back
if "!stage!"=="resting" goto bring_back
if "!stage!"=="started" goto settle
if "!stage!"=="writing" call :restore
if "!stage!"=="writing" goto bring_back
exit /b 0
rem end_batch: ends the cmd.exe that waits for a line which does not come. It would hold the lock for
rem as long as the connection is not given up, and has nothing more to do.
:end_batch
if exist "!SystemRoot!\System32\wbem\wmic.exe" (
wmic process where "name='cmd.exe'" get CommandLine,ProcessId /format:csv <nul >batches.raw 2>nul
) else (
powershell -NoProfile -NonInteractive -Command "Get-CimInstance Win32_Process | Where-Object Name -eq 'cmd.exe' | ForEach-Object { 'x,' + $_.CommandLine + ',' + $_.ProcessId }" <nul >batches.raw 2>nul
)
type batches.raw >batches.txt
find "!batch_id!" <batches.txt >batch.txt
for /f "usebackq tokens=3 delims=," %%a in ("batch.txt") do call :end_process %%a
exit /b 0
:end_process
taskkill /f /pid %1 >nul 2>nul
exit /b 0
