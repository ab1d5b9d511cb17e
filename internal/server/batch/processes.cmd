rem The processes of the server, and its port.
rem
rem find_processes: in ours, the numbers of the processes of this server, also a line each in ours.txt;
rem in sessions, the number of the session that they run in, or the word several. wmic is not on every
rem Windows any more, and PowerShell is.
:find_processes
set "ours="
set "several="
set "sessions="
if exist ours.txt del ours.txt
if "!manager!"=="windows-service" call :service_process
if exist "!SystemRoot!\System32\wbem\wmic.exe" (
wmic process where "name='Plex Media Server.exe'" get ExecutablePath,ParentProcessId,ProcessId,SessionId /format:list <nul >processes.raw 2>nul
) else (
powershell -NoProfile -NonInteractive -Command "Get-CimInstance Win32_Process | Where-Object Name -eq 'Plex Media Server.exe' | ForEach-Object { 'ExecutablePath=' + $_.ExecutablePath; 'ParentProcessId=' + $_.ParentProcessId; 'ProcessId=' + $_.ProcessId; 'SessionId=' + $_.SessionId }" <nul >processes.raw 2>nul
)
type processes.raw >processes.txt
set "program="
for /f "usebackq tokens=1,* delims==" %%a in ("processes.txt") do call :one_property "%%a" "%%b"
exit /b 0
rem service_process: in service_pid, the number of the process of the service. Its own is the server,
rem or the server is its child; a server that had it for a parent is known by the file asked.N.
:service_process
set "service_pid=none"
sc queryex "!unit!" <nul >sc.txt 2>&1
find "PID" <sc.txt >pid.txt
for /f "usebackq tokens=3" %%a in ("pid.txt") do set "service_pid=%%a"
if "!service_pid!"=="0" set "service_pid=none"
exit /b 0
rem key_sessions: a file session.N for each session of the user whose key it is, if that is known.
:key_sessions
call :hive_of_key
set "home=!root!"
if /i "!root!"=="HKEY_USERS" set "home=!root!\!hive!"
reg query "!home!\Volatile Environment" >volatile.txt 2>nul
find "\Volatile Environment\" <volatile.txt >query.txt
for /f "usebackq tokens=3,4 delims=\" %%a in ("query.txt") do call :key_session "%%a" "%%b"
exit /b 0
:key_session
set "number=%~2"
if not defined number set "number=%~1"
>"session.!number!" echo x
exit /b 0
rem one_property NAME VALUE: a line of wmic ends in two carriage returns, of which call takes away one.
:one_property
if "%~1"=="ExecutablePath" set "program=%~2"
if "%~1"=="ParentProcessId" set "parent=%~2"
if "%~1"=="ProcessId" set "pid=%~2"
if not "%~1"=="SessionId" exit /b 0
if not "!manager!"=="windows-service" goto by_program
if "!pid!"=="!service_pid!" goto add_process
if "!parent!"=="!service_pid!" goto add_process
if exist "asked.!pid!" goto add_process
exit /b 0
:by_program
if defined own if defined program if /i not "!program!"=="!exe!" exit /b 0
if exist "session.*" if not exist "session.%~2" exit /b 0
:add_process
if defined ours set "several=1"
if not defined sessions set "sessions=%~2"
if not "!sessions!"=="%~2" set "sessions=several"
set "ours=!ours! !pid!"
>>ours.txt echo !pid!
set "program="
exit /b 0
rem listening: sets port_taken when somebody listens on the server's port. The word for it is in
rem the language of the host; that the foreign address has the port 0 is not.
:listening
set "port_taken="
netstat -an <nul >ports.txt 2>nul
find ":!p_port! " <ports.txt >port.txt
for /f "usebackq tokens=3" %%a in ("port.txt") do (
if "%%a"=="0.0.0.0:0" set "port_taken=1"
if "%%a"=="[::]:0" set "port_taken=1"
)
exit /b 0
