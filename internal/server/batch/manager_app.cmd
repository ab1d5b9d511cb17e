rem windows-app: the application of a user who is logged on, with an icon in the notification area.
:windows-app_state
call :find_processes
set "state=stopped"
if defined ours set "state=running"
if defined several (
set "state=unknown"
set "detail=several processes could be the server:!ours!"
)
exit /b 0
rem Without /f, taskkill asks the windows of a process to close, and never ends it. The windows of
rem another session can be reached from that session alone: there a task does it.
:windows-app_stop
call :find_processes
for /f "usebackq" %%a in ("ours.txt") do (
>asked.%%a echo x
taskkill /pid %%a
if errorlevel 1 (
set "task_line=taskkill.exe /pid %%a"
call :in_session
)
)
exit /b 0
:windows-app_start
if not exist "!exe!" (
echo there is no !exe!
exit /b 2
)
set "task_line=cmd.exe /d /c start \"\" /normal \"!exe!\""
call :in_session
exit /b !errorlevel!
rem in_session: runs what task_line says as the user whose key it is, in the session of that user, by a task.
:in_session
set "task=terraform-provider-plex-!p_stamp!"
set "whose="
call :user_of_key
schtasks /create /tn "!task!" /tr "!task_line!" /sc once /st 00:00 /f /it !whose!
if errorlevel 1 exit /b 1
schtasks /run /tn "!task!"
set "run_status=!errorlevel!"
schtasks /delete /tn "!task!" /f
exit /b !run_status!
rem user_of_key: whose is the option of schtasks for that user, where that is not the one who looks.
:user_of_key
call :hive_of_key
if /i not "!root!"=="HKEY_USERS" exit /b 0
set "name="
set "domain="
reg query "HKEY_USERS\!hive!\Volatile Environment" >query.txt 2>nul
for /f "usebackq tokens=1,2,*" %%a in ("query.txt") do (
if "%%a"=="USERNAME" set "name=%%c"
if "%%a"=="USERDOMAIN" set "domain=%%c"
)
if defined name set "whose=/ru "!domain!\!name!""
exit /b 0
