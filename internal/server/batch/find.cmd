rem Which server is meant, and where its preferences are.
:locate
set "value=windows"
call :say platform
set "value=!USERDOMAIN!\!USERNAME!"
call :say user
if defined p_preferences (set "key=!p_preferences!") else call :find_key
set "value=!key!"
call :say preferences_path
call :read_id "!key!"
if not defined id call :no_preferences
call :find_manager
if not "!manager!"=="commands" call :install_folder
if "!manager!"=="windows-app" call :key_sessions
set "value=!manager!"
call :say manager
set "value=!unit!"
call :say unit
exit /b 0
rem read_id KEY: the machine identifier that a key holds, in id.
:read_id
set "id="
reg query %1 /v ProcessedMachineIdentifier >query.txt 2>nul
for /f "usebackq tokens=1,2,*" %%a in ("query.txt") do (
if "%%a"=="ProcessedMachineIdentifier" set "id=%%c"
)
exit /b 0
rem no_preferences: the key of a user who is not logged on is not there to be asked.
:no_preferences
set "detail=!key! has no ProcessedMachineIdentifier"
call :hive_of_key
if /i not "!root!"=="HKEY_USERS" call :fail no-preferences
reg query "HKEY_USERS\!hive!" >nul 2>nul
if not errorlevel 1 call :fail no-preferences
set "detail=HKEY_USERS\!hive! is not there"
call :fail not-logged-on
exit /b 0
rem hive_of_key: in root and hive, the first two names of the key.
:hive_of_key
>key.txt echo !key!
for /f "usebackq tokens=1,2 delims=\" %%a in ("key.txt") do (
set "root=%%a"
set "hive=%%b"
)
exit /b 0
rem find_key: the key of whoever runs the server. Where several users have one, the one in whose
rem session a server runs.
:find_key
set "sid="
whoami /user /fo csv /nh >whoami.txt 2>nul
for /f "usebackq tokens=2 delims=," %%a in ("whoami.txt") do set "sid=%%~a"
reg query HKEY_USERS >hives.txt 2>nul
set "tail=Software\Plex, Inc.\Plex Media Server"
set "keys="
set "found=0"
set "key=HKEY_CURRENT_USER\!tail!"
call :read_id "!key!"
if defined id set "found=1"
if defined id set "keys=!key!"
for /f "usebackq tokens=2 delims=\" %%a in ("hives.txt") do call :consider "%%a"
if "!found!"=="0" call :nobody
if "!found!"=="1" set "key=!keys!"
if "!found!"=="1" exit /b 0
call :find_processes
set "key="
if defined sessions if not "!sessions!"=="several" call :key_of_session
if defined key exit /b 0
set "detail=!keys!"
call :fail several-servers
exit /b 0
:consider
set "hive=%~1"
if "!hive!"=="!sid!" exit /b 0
if "!hive!"=="S-1-5-18" exit /b 0
if "!hive!"=="S-1-5-19" exit /b 0
if "!hive!"=="S-1-5-20" exit /b 0
call :read_id "HKEY_USERS\!hive!\!tail!"
if not defined id exit /b 0
set /a found=found+1
if defined keys set "keys=!keys!; "
set "keys=!keys!HKEY_USERS\!hive!\!tail!"
exit /b 0
:nobody
set "detail=neither !USERNAME! nor another user who is logged on has the key !tail!"
call :fail no-preferences
exit /b 0
rem key_of_session: of the keys that were found, the one of the user whose session it is.
:key_of_session
call :try_session "HKEY_CURRENT_USER"
for /f "usebackq delims=" %%a in ("hives.txt") do call :try_session "%%a"
exit /b 0
:try_session
reg query "%~1\Volatile Environment\!sessions!" >nul 2>nul
if errorlevel 1 exit /b 0
call :read_id "%~1\!tail!"
if not defined id exit /b 0
if not defined key set "key=%~1\!tail!"
exit /b 0
rem install_folder: in exe, where the key says that the program is, then where everybody has it. own
rem tells that it was the key: another program then belongs to another key.
:install_folder
set "exe="
set "folder="
call :read_install "!key!"
set "own=!exe!"
if not defined exe call :read_install "HKEY_LOCAL_MACHINE\Software\Plex, Inc.\Plex Media Server"
if not defined exe call :read_install "HKEY_LOCAL_MACHINE\Software\WOW6432Node\Plex, Inc.\Plex Media Server"
if defined exe exit /b 0
for %%a in ("!ProgramFiles!" "!ProgramFiles(x86)!") do (
if exist "%%~a\Plex\Plex Media Server\Plex Media Server.exe" set "exe=%%~a\Plex\Plex Media Server\Plex Media Server.exe"
)
exit /b 0
:read_install
reg query %1 /v InstallFolder >query.txt 2>nul
for /f "usebackq tokens=1,2,*" %%a in ("query.txt") do (
if "%%a"=="InstallFolder" set "folder=%%c"
)
if not defined folder exit /b 0
set "exe=!folder!\Plex Media Server.exe"
if exist "!folder!Plex Media Server.exe" set "exe=!folder!Plex Media Server.exe"
set "folder="
exit /b 0
