rem windows-service: a service whose program runs the server, such as PmsService or NSSM.
rem
rem Told to stop, these end the server by force at once (PmsService) or after a second or two
rem (NSSM), and when the server ends by itself they start it again, some seconds later. So the
rem server is asked first, and the service is told as soon as it has ended: it then has nobody to
rem end.
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
call :windows-app_stop
set "service_naps=0"
:service_waits
call :find_processes
if not defined ours goto service_stop
set /a service_naps=service_naps+1
if !service_naps! gtr !p_stop_limit! exit /b 0
call :nap
goto service_waits
:service_stop
sc stop "!unit!"
exit /b !errorlevel!
:windows-service_start
sc start "!unit!"
exit /b !errorlevel!
