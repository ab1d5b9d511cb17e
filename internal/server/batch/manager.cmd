rem Service managers. Each has a piece of its own, with labels NAME_VERB:
rem   state        sets state: running, stopped, starting, stopping, unknown
rem   stop         asks the server to stop; errorlevel and log say how that went
rem   start        starts it, where start_here runs: outside of this session
rem
rem find_manager: the one that is named; else the service that is there, else the application.
:find_manager
set "manager=!p_manager!"
set "unit=!p_unit!"
if "!manager!"=="commands" exit /b 0
if defined unit if not defined manager set "manager=windows-service"
if "!manager!"=="windows-app" exit /b 0
if not defined unit set "unit=PlexService"
sc query "!unit!" >nul 2>nul
if not errorlevel 1 (
set "manager=windows-service"
exit /b 0
)
if "!manager!"=="windows-service" (
set "detail=there is no service !unit!"
call :fail service-not-found
)
set "unit="
set "manager=windows-app"
exit /b 0
rem service_state: sets state.
:service_state
set "state=unknown"
goto !manager!_state
rem at_rest: errorlevel 0 when the manager, the processes and the port agree that the server does
rem not run; else the detail says who does not.
:at_rest
call :service_state
if not "!state!"=="stopped" (
set "detail=the service manager says that it is !state!"
exit /b 1
)
if not "!manager!"=="commands" (
call :find_processes
if defined ours (
set "detail=process!ours! still runs"
exit /b 1
)
)
call :listening
if defined port_taken (
set "detail=something still listens on its port"
exit /b 1
)
exit /b 0
rem stop_server: asks, then sees. Errorlevel 1 when the server still runs at the limit, 2 when it
rem could not be asked. Time is counted in naps, and looks come on top: the limit is at least kept.
:stop_server
set "naps=0"
set "looks=0"
call :!manager!_stop >stop.log 2>&1 <nul
set "stop_status=!errorlevel!"
if "!stop_status!"=="0" goto stopping
call :service_state
if "!manager!"=="commands" goto stopping
if not "!state!"=="running" goto stopping
call :last_line stop.log
set "detail=the stop command ended with status !stop_status!: !detail!"
exit /b 2
:stopping
call :at_rest
if not errorlevel 1 exit /b 0
set /a looks=looks+1
if !naps! geq !p_stop_limit! exit /b 1
if !looks! leq 3 goto stopping
set /a naps=naps+1
call :nap
goto stopping
rem start_server: errorlevel 1 with a detail when it could not be started.
:start_server
if exist started del started
if exist start.log del start.log
call :detached start
set "naps=0"
set "looks=0"
:starting
if exist started goto start_ended
set /a looks=looks+1
if !looks! lss 20 (
cmd /d /c exit
goto starting
)
if !naps! geq !p_command_limit! (
set "detail=the start command has not ended within !p_command_limit! s"
exit /b 1
)
set /a naps=naps+1
call :nap
goto starting
:start_ended
set "start_status=1"
for /f "usebackq" %%a in ("started") do set "start_status=%%a"
if "!start_status!"=="0" exit /b 0
call :last_line start.log
set "detail=the start command ended with status !start_status!: !detail!"
exit /b 1
rem detached MODE: runs this file in that mode by a process that does not end with the session, as
rem all do that an sshd has started, and has none of its handles. Where that cannot be had, by one
rem that does. PowerShell is told of quotes by their number: for cmd.exe, which knows no backslash, a
rem parenthesis behind one would end the block.
:detached
set "ran="
set "line=cmd.exe /d /v:on /e:on /c \"\"!batch_dir!\server.cmd\" %1\""
if exist "!SystemRoot!\System32\wbem\wmic.exe" (
wmic process call create "!line!" <nul >create.txt 2>nul
) else (
powershell -NoProfile -NonInteractive -Command "$ErrorActionPreference = 'Stop'; exit (Invoke-CimMethod Win32_Process Create -Arguments @{CommandLine = $env:line.Replace('\' + [char]34, [string][char]34)}).ReturnValue" <nul >create.txt 2>nul
)
if errorlevel 1 (
start "" /b cmd /d /c server.cmd %1 <nul >nul 2>nul
)
exit /b 0
rem start_here: the start, by such a process.
:start_here
set "manager=!p_manager!"
for /f "usebackq tokens=1,* delims==" %%a in ("found.txt") do set "%%a=%%b"
call :!manager!_start >start.log 2>&1 <nul
>started.new echo !errorlevel!
ren started.new started
exit
:commands_state
cmd /d /s /c "!p_status!" >status.log 2>&1 <nul
if !errorlevel! equ 0 (
set "state=running"
exit /b 0
)
if !errorlevel! geq 1 if !errorlevel! leq 3 (
set "state=stopped"
exit /b 0
)
call :last_line status.log
exit /b 0
:commands_stop
cmd /d /s /c "!p_stop!"
exit /b !errorlevel!
:commands_start
cmd /d /s /c "!p_start!"
exit /b !errorlevel!
