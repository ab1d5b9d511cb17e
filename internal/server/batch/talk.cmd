rem Talking to the far side, and waiting.
rem
rem say NAME: a record with the value in value.
:say
echo %1
echo.!value!
echo !p_nonce!
exit /b 0
rem say_file NAME: a record that holds the file whose path is in file, in base64: type would convert
rem a file in UTF-16.
:say_file
if exist wire del wire
certutil -f -encode "!file!" wire >certutil.log 2>&1
if not exist wire (
call :last_line certutil.log
call :fail no-key
)
echo %1
type wire
echo !p_nonce!
del wire
exit /b 0
rem fail CODE: says what is wrong, with the detail in detail, and ends.
:fail
set "value=%1 !detail!"
call :say failed
goto leave
rem await: the next command, in verb and argument; errorlevel 1 when the far side has gone. It is
rem read again from a file, because set /p may leave the carriage return at the end, here behind a
rem third word, and because Wine splits no text that a variable holds.
:await
set "line="
set /p line=
if not defined line exit /b 1
>line.txt echo !line!
for /f "usebackq tokens=1,2" %%a in ("line.txt") do (
set "verb=%%a"
set "argument=%%b"
)
exit /b 0
rem nap: a second. timeout refuses where the input is not a console.
:nap
ping -n 2 127.0.0.1 >nul
exit /b 0
rem last_line FILE: the detail is the last line of a file that is not empty.
:last_line
for /f "usebackq delims=" %%a in ("%~1") do set "detail=%%a"
exit /b 0
