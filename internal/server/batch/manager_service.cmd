rem windows-service: a service whose program runs the server.
rem
rem The windows of a server in a service are out of reach, so it is the service that has to ask it to
rem stop, and most end it by force at once. disarm lets those pass that do not: errorlevel 1 with a
rem detail for all others.
:windows-service_disarm
set "service_key=HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\!unit!"
reg query "!service_key!" /v ImagePath >image.txt 2>nul
find "Plex Media Server.exe" <image.txt >nul
if not errorlevel 1 exit /b 0
find "nssm" <image.txt >nul
if errorlevel 1 find "NSSM" <image.txt >nul
if errorlevel 1 (
set "detail=the service !unit! is not known to let the server stop by itself; PmsService and srvany end it by force"
exit /b 1
)
rem NSSM asks the server's windows, and waits for so many milliseconds; 1500 if nothing is set.
set "have=1"
reg query "!service_key!\Parameters" /v AppStopMethodWindow >nssm.txt 2>nul
for /f "usebackq tokens=1,2,3" %%a in ("nssm.txt") do (
if "%%a"=="AppStopMethodWindow" set /a have=%%c / 1000
)
if !have! geq !p_stop_limit! exit /b 0
set "detail=NSSM would end the server by force after !have! s, which is less than the stop timeout of !p_stop_limit! s: nssm set !unit! AppStopMethodWindow !p_stop_limit!000"
exit /b 1
:windows-service_state
sc query "!unit!" <nul >sc.txt 2>&1
set "state=unknown"
for %%a in (STOPPED RUNNING START_PENDING STOP_PENDING) do (
find " %%a" <sc.txt >nul
if not errorlevel 1 set "state=%%a"
)
if "!state!"=="STOPPED" set "state=stopped"
if "!state!"=="RUNNING" set "state=running"
if "!state!"=="START_PENDING" set "state=starting"
if "!state!"=="STOP_PENDING" set "state=stopping"
exit /b 0
:windows-service_stop
call :find_processes
if exist ours.txt for /f "usebackq" %%a in ("ours.txt") do >asked.%%a echo x
sc stop "!unit!"
exit /b !errorlevel!
:windows-service_start
sc start "!unit!"
exit /b !errorlevel!
